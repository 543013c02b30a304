import type { ValidationBlock } from '../codec/record-block.ts';
import { reduce } from '../prio/field.ts';
import { MessageTable, readMessage, type ReusedMessage } from './message-table.ts';
import { isSameUuid } from './uuid-rows.ts';

/** What a look-up found; `unread` if that is not known before `readOn`. */
export type Found = 'message' | 'outOfRange' | 'nothing' | 'unread';

const NO_ROWS: ValidationBlock = {
  count: 0,
  uuids: new Uint8Array(),
  messages: new Uint32Array(),
  inRange: new Uint8Array(),
};

/**
 * The peer's messages, looked up packet by packet. As long as each look-up asks for the next message, nothing is kept;
 * from the first that does not, the rest of them is in a table. Of several messages about one UUID the first counts.
 *
 * Each UUID may be looked up once: whoever asks for the first packets of UUIDs only need not fear that the rest of the
 * messages lacks one, or has a later one, for a UUID whose first is used up.
 */
export class PeerMessages implements AsyncDisposable {
  /** What was found last, elements of the field. */
  readonly message: ReusedMessage = { f_r: 0, g_r: 0, h_r: 0 };
  readonly #blocks: AsyncIterator<ValidationBlock>;
  #block = NO_ROWS;
  /** The next row. */
  #row = 0;
  /** Whether the last block is used up and nothing came after it. */
  #isOver = false;
  #rest: MessageTable | undefined;

  constructor(blocks: AsyncIterable<ValidationBlock>) {
    this.#blocks = blocks[Symbol.asyncIterator]();
  }

  /** Whether no look-up has needed the table yet. */
  get isInOrder(): boolean {
    return this.#rest === undefined;
  }

  /** Looks for the message about that row of `uuids`, the first packet of its UUID. It is in `message` if there is one. */
  find(uuids: Uint8Array, row: number): Found {
    if (this.#rest) return this.#findIn(this.#rest, uuids, row);
    if (!this.#isNext(uuids, row)) return this.#isOver ? 'nothing' : 'unread';
    const { messages, inRange } = this.#block;
    readMessage(messages, this.#row, this.message);
    return this.#found(inRange[this.#row++] === 1);
  }

  /**
   * Leaves out the next message if it is about that row of `uuids`, of which a message was found before.
   * @returns false if that is not known before `readOn`
   */
  leaveOut(uuids: Uint8Array, row: number): boolean {
    if (this.#rest || this.#isOver) return true;
    if (this.#row === this.#block.count) return false;
    if (this.#isNext(uuids, row)) this.#row++;
    return true;
  }

  /** Reads the next block if this one is used up, else all the rest, as then it is in another order. */
  async readOn(): Promise<void> {
    if (this.#row < this.#block.count) this.#rest = await this.#tabulate();
    else this.#isOver = !(await this.#readBlock());
  }

  /** Reads what is left, and drops it. */
  async readToEnd(): Promise<void> {
    while (!(await this.#blocks.next()).done);
  }

  /** Lets go of the peer's messages, wherever in them this is. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#blocks.return?.();
  }

  #isNext(uuids: Uint8Array, row: number): boolean {
    return this.#row < this.#block.count && isSameUuid(this.#block.uuids, this.#row, uuids, row);
  }

  #findIn(rest: MessageTable, uuids: Uint8Array, row: number): Found {
    const ordinal = rest.find(uuids, row);
    if (ordinal < 0) return 'nothing';
    rest.read(ordinal, this.message);
    return this.#found(rest.isMarked(ordinal));
  }

  #found(isInRange: boolean): Found {
    const { message } = this;
    message.f_r = reduce(message.f_r);
    message.g_r = reduce(message.g_r);
    message.h_r = reduce(message.h_r);
    return isInRange ? 'message' : 'outOfRange';
  }

  async #tabulate(): Promise<MessageTable> {
    const rest = new MessageTable();
    do {
      const { count, uuids, messages, inRange } = this.#block;
      const rows = { uuids, messages, marks: inRange };
      for (; this.#row < count; this.#row++) rest.add(rows, this.#row);
    } while (await this.#readBlock());
    this.#block = NO_ROWS;
    return rest;
  }

  /** @returns false if there is no further block */
  async #readBlock(): Promise<boolean> {
    const next = await this.#blocks.next();
    if (next.done) return false;
    this.#block = next.value;
    this.#row = 0;
    return true;
  }
}
