import { UUID_BYTES } from '../../common/domain/uuid.ts';
import type { ValidationBlock } from '../codec/record-block.ts';
import { OwnValidationContradicted } from '../errors.ts';
import { P } from '../prio/field.ts';
import type { LeftOutPackets, OwnBlock } from './own-block.ts';
import { UuidTable } from './uuid-table.ts';

const LEFT_OUT_ROWS = 1024;

/**
 * The packets of a batch as they were opened at intake, from our own validation batch and what the sealed sum says
 * about the packets that are not in it. Nothing of the batch itself is read. `own` is read to its end even where it is
 * contradicted, so that a fault of the file shows as such.
 *
 * It is not noticed that a packet with a message is called a repeat but its UUID never came before: for that all UUIDs would
 * have to be kept. The sealed sum names the digest of the validation batch beside which it was made; that is the guard.
 *
 * @param repeats positions of the packets whose UUID came before, in `own` or not, ascending
 * @throws OwnValidationContradicted if they cannot belong together
 */
export async function* ownSequence(
  own: AsyncIterable<ValidationBlock>,
  leftOut: LeftOutPackets,
  repeats: Uint32Array,
): AsyncGenerator<OwnBlock, void, undefined> {
  const sequence = new OwnSequence(leftOut, repeats);
  let contradiction: OwnValidationContradicted | undefined;
  for await (const block of own) {
    if (contradiction) continue;
    try {
      yield* sequence.withBlock(block);
    } catch (err) {
      if (!(err instanceof OwnValidationContradicted)) throw err;
      contradiction = err;
    }
  }
  if (contradiction) throw contradiction;
  yield* sequence.ending();
}

/** Puts packets that were left out between those of our validation batch. All its methods throw `OwnValidationContradicted`. */
class OwnSequence {
  readonly #leftOut: LeftOutPackets;
  readonly #repeats: Uint32Array;
  /** First packets among those left out. */
  readonly #leftOutFirsts = new UuidTable();
  #nextLeftOut = 0;
  #nextRepeat = 0;
  #position = 0;

  constructor(leftOut: LeftOutPackets, repeats: Uint32Array) {
    this.#leftOut = leftOut;
    this.#repeats = repeats;
  }

  /** The packets of a block with those left out before and among them. */
  *withBlock(block: ValidationBlock): Iterable<OwnBlock> {
    for (let row = 0; row < block.count;) {
      yield* this.#leftOutHere();
      const end = Math.min(block.count, row + this.#untilLeftOut());
      yield this.#told(block, row, end);
      row = end;
    }
  }

  /** The packets left out after all others. */
  *ending(): Iterable<OwnBlock> {
    yield* this.#leftOutHere();
    const rest = this.#leftOut.positions[this.#nextLeftOut] ?? this.#repeats[this.#nextRepeat];
    if (rest !== undefined) contradict(`packet ${rest} is mentioned, and there are only ${this.#position}`);
  }

  /** How many packets are before the next that was left out. */
  #untilLeftOut(): number {
    const next = this.#leftOut.positions[this.#nextLeftOut];
    if (next === undefined) return Infinity;
    if (next < this.#position) contradict(`positions of packets left out do not ascend at ${next}`);
    return next - this.#position;
  }

  #told({ uuids, messages, inRange }: ValidationBlock, row: number, end: number): OwnBlock {
    const count = end - row;
    const first = this.#position;
    const block = {
      count,
      uuids: uuids.subarray(UUID_BYTES * row, UUID_BYTES * end),
      messages: messages.subarray(3 * row, 3 * end),
      told: new Uint8Array(count).fill(1),
      repeat: this.#takeRepeats(count),
    };
    requireElements(block.messages, inRange.subarray(row, end), first);
    if (this.#leftOutFirsts.size > 0) {
      for (let i = 0; i < count; i++) {
        if (this.#leftOutFirsts.find(block.uuids, i) >= 0) {
          contradict(`packet ${first + i} has a message, but the first packet of its UUID was left out`);
        }
      }
    }
    return block;
  }

  /** The packets left out that come right here. */
  *#leftOutHere(): Iterable<OwnBlock> {
    while (this.#untilLeftOut() === 0) yield this.#takeLeftOut();
  }

  #takeLeftOut(): OwnBlock {
    const { positions, uuids } = this.#leftOut;
    const first = this.#position;
    const from = this.#nextLeftOut;
    let count = 1;
    while (count < LEFT_OUT_ROWS && positions[from + count] === first + count) count++;
    const block = {
      count,
      uuids: uuids.subarray(UUID_BYTES * from, UUID_BYTES * (from + count)),
      messages: new Uint32Array(3 * count),
      told: new Uint8Array(count),
      repeat: this.#takeRepeats(count),
    };
    for (let row = 0; row < count; row++) {
      const { size } = this.#leftOutFirsts;
      const isNew = this.#leftOutFirsts.add(block.uuids, row) === size;
      if (isNew !== (block.repeat[row] === 0)) {
        contradict(
          `packet ${first + row} was left out and ${isNew ? 'repeats none' : 'repeats one, but is no repeat'}`,
        );
      }
    }
    this.#nextLeftOut += count;
    return block;
  }

  /** Marks the repeats among the next `count` packets, and goes on behind them. */
  #takeRepeats(count: number): Uint8Array {
    const marks = new Uint8Array(count);
    const end = this.#position + count;
    for (let next = this.#repeats[this.#nextRepeat]; next !== undefined && next < end;) {
      // Nothing comes before the first packet.
      if (next < this.#position || next === 0) contradict(`packet ${next} cannot be a repeat`);
      marks[next - this.#position] = 1;
      next = this.#repeats[++this.#nextRepeat];
    }
    this.#position = end;
    return marks;
  }
}

/** Intake writes elements of the field and nothing else. */
function requireElements(messages: Uint32Array, inRange: Uint8Array, first: number): void {
  for (let i = 0; i < messages.length; i++) {
    const row = Math.floor(i / 3);
    if (messages[i]! >= P || inRange[row] !== 1) contradict(`the message about packet ${first + row} is out of range`);
  }
}

function contradict(why: string): never {
  throw new OwnValidationContradicted(`our own validation batch and the sealed sum do not belong together: ${why}`);
}
