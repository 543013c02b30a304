/** Chunks are a little larger than what fills them up; a step that they all fit in makes them interchangeable. */
const STEP_BYTES = 64 * 1024;
/** What is larger is for chunks of a single enormous block, and not worth keeping. */
const MAX_KEPT_BYTES = 512 * 1024;

/** Memory that travels with chunks and is used again when it comes back, as each new piece would have to be collected. */
export class ChunkMemory {
  readonly #spare: ArrayBuffer[] = [];

  /** At least so many bytes, whatever they are. */
  take(bytes: number): ArrayBuffer {
    const spare = bytes <= MAX_KEPT_BYTES ? this.#spare.pop() : undefined;
    if (spare && spare.byteLength >= bytes) return spare;
    return new ArrayBuffer(STEP_BYTES * Math.ceil(bytes / STEP_BYTES));
  }

  giveBack(memory: ArrayBuffer): void {
    if (memory.byteLength <= MAX_KEPT_BYTES) this.#spare.push(memory);
  }
}
