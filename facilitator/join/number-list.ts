const FIRST_CAPACITY = 64;

/** Unsigned 32-bit integers, as many as come. */
export class NumberList {
  #numbers = new Uint32Array(FIRST_CAPACITY);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(number: number): void {
    if (this.#size === this.#numbers.length) {
      const numbers = new Uint32Array(2 * this.#size);
      numbers.set(this.#numbers);
      this.#numbers = numbers;
    }
    this.#numbers[this.#size++] = number;
  }

  /** `undefined` beyond the end. */
  at(index: number): number | undefined {
    return index < this.#size ? this.#numbers[index] : undefined;
  }

  /** All of them in order; what is pushed later is not among them. */
  toArray(): Uint32Array {
    return this.#numbers.slice(0, this.#size);
  }
}
