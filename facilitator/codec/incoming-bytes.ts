/** The bytes of a stream that have come and are not yet taken: those asked for, and a chunk. */
export class IncomingBytes {
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** What has come, in order; the first one from `#start`. */
  #pending: Buffer[] = [];
  #start = 0;
  #available = 0;
  #position = 0;

  /** @param chunks are not closed, whatever happens */
  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** How many bytes of the stream have been taken. */
  get position(): number {
    return this.#position;
  }

  /** All that has come, without taking it: at least `size` bytes, unless the stream ends before. Not to be kept. */
  async peek(size: number): Promise<Buffer> {
    while (this.#available < size) {
      if (!(await this.#receive())) break;
    }
    // Chunks are put together only where a header or the beginning of a block lies across their ends.
    if (this.#pending.length > 1) {
      this.#pending = [Buffer.concat([this.#rest(), ...this.#pending.slice(1)])];
      this.#start = 0;
    }
    return this.#rest();
  }

  /**
   * Takes the next bytes if they have come in one piece. May be kept, which keeps all that came with them.
   * @returns `undefined` if they have not, and nothing is taken
   */
  take(size: number): Buffer | undefined {
    const rest = this.#rest();
    if (rest.length < size) return undefined;
    this.skip(size);
    return rest.subarray(0, size);
  }

  /** Fills `target` with the next bytes. @returns how many they are, fewer only at the end of the stream */
  async read(target: Buffer): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#available === 0 && !(await this.#receive())) break;
      const length = this.#rest().copy(target, filled);
      filled += length;
      this.skip(length);
    }
    return filled;
  }

  /** Takes all there is, and keeps none of it. @returns how many bytes */
  async drain(): Promise<number> {
    const start = this.#position;
    do this.skip(this.#available);
    while (await this.#receive());
    return this.#position - start;
  }

  /** Takes bytes that `peek` has shown. */
  skip(size: number): void {
    this.#position += size;
    this.#available -= size;
    this.#start += size;
    for (;;) {
      const [first] = this.#pending;
      if (!first || this.#start < first.length) return;
      this.#start -= first.length;
      this.#pending.shift();
    }
  }

  /** What is left of the first chunk. */
  #rest(): Buffer {
    const [first = Buffer.alloc(0)] = this.#pending;
    return first.subarray(this.#start);
  }

  /** @returns `false` at the end of the stream */
  async #receive(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done) return false;
    // An empty chunk would never be taken.
    if (value.length > 0) this.#pending.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    this.#available += value.length;
    return true;
  }
}
