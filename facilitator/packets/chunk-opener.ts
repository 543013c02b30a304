import { formatUuid } from '../../common/domain/uuid.ts';
import { checkDataShares, decodeDataShares } from '../codec/data-share-block.ts';
import type { DataShareBlock } from '../codec/record-block.ts';
import type { PacketDecryptor } from '../crypto/ecies.ts';
import { PacketMalformed, PacketUndecryptable, RPitOutOfRange } from '../errors.ts';
import type { BlockEvaluator } from '../prio/block-evaluator.ts';
import { OpenedPacketsBuilder } from './opened-packets-builder.ts';
import type { PacketChunk } from './packet-chunk.ts';
import type { OpenedPackets, SummedPackets } from './packet-engine.ts';

const MAX_U32 = 0xffff_ffff;

/** Opens chunks of packets of one layout with the same keys, one after the other in the thread that calls it. */
export class ChunkOpener {
  readonly #evaluator: BlockEvaluator;
  readonly #decryptors: readonly PacketDecryptor[];

  constructor(evaluator: BlockEvaluator, decryptors: readonly PacketDecryptor[]) {
    this.#evaluator = evaluator;
    this.#decryptors = decryptors;
  }

  /** @throws as `PacketEngine.open` */
  open(chunk: PacketChunk): OpenedPackets {
    const blocks = decodeAll(chunk);
    const evaluator = this.#evaluator;
    const opened = new OpenedPacketsBuilder(blocks, evaluator.layout.bins, this.#decryptors.length);
    for (const block of blocks) {
      for (let begin = 0; begin < block.count; begin += evaluator.capacity) {
        const rPits = Uint32Array.from(block.rPits.subarray(begin, begin + evaluator.capacity));
        for (let i = 0; i < rPits.length; i++) {
          requireU32(block, begin + i);
          const payload = payloadOf(block, begin + i);
          opened.countKey(this.#load(i, block, begin + i, payload), payload.length);
        }
        const evaluated = evaluator.evaluate(rPits);
        opened.append(evaluated);
        evaluator.accumulate(evaluated.told, opened.sum);
      }
    }
    return opened.result();
  }

  /** @throws as `PacketEngine.sumOf` */
  sumOf(chunk: PacketChunk, positions: Uint32Array): SummedPackets {
    const evaluator = this.#evaluator;
    const sum = new Uint32Array(evaluator.layout.bins);
    const messages = new Uint32Array(3 * positions.length);
    let next = 0;
    let first = 0;
    for (const block of decodeAll(chunk)) {
      const end = first + block.count;
      const wanted = positions.subarray(next).filter((position) => position < end);
      for (let begin = 0; begin < wanted.length; begin += evaluator.capacity) {
        const rows = wanted.subarray(begin, begin + evaluator.capacity).map((position) => position - first);
        const rPits = new Uint32Array(rows.length);
        rows.forEach((at, i) => {
          requireU32(block, at);
          rPits[i] = block.rPits[at]!;
          this.#load(i, block, at, payloadOf(block, at));
        });
        messages.set(evaluator.evaluate(rPits).messages, 3 * (next + begin));
        evaluator.accumulate(new Uint8Array(rows.length).fill(1), sum);
      }
      next += wanted.length;
      first = end;
    }
    return { sum, messages };
  }

  /**
   * Decrypts a packet into the evaluator. The keys are tried in the order given, always: AES-GCM does not commit to a
   * key, so a payload can be made that opens under two, and every execution must see the same plaintext.
   * `encryption_key_id` is a hint from outside and is not followed.
   * @returns the index of the key
   */
  #load(index: number, block: DataShareBlock, at: number, payload: Uint8Array): number {
    for (let key = 0; key < this.#decryptors.length; key++) {
      const plain = this.#decryptors[key]!.decrypt(payload); // the index is in range
      if (!plain) continue;
      try {
        this.#evaluator.load(index, plain);
      } catch (err) {
        if (err instanceof PacketMalformed) throw new PacketMalformed(`packet ${uuidOf(block, at)}: ${err.message}`);
        throw err;
      }
      return key;
    }
    throw new PacketUndecryptable(
      `packet ${uuidOf(block, at)} opens under none of the ${this.#decryptors.length} packet decryption keys`,
    );
  }
}

/** @throws as `PacketEngine.check` */
export function checkChunk({ format, blocks }: PacketChunk): void {
  for (const block of blocks) checkDataShares(format, block);
}

/** All before the first is opened, so that an unsound block is what is reported, whatever the packets are. */
function decodeAll({ format, blocks }: PacketChunk): DataShareBlock[] {
  return blocks.map((block) => decodeDataShares(format, block));
}

function payloadOf({ bytes, payloadStarts, payloadEnds }: DataShareBlock, at: number): Uint8Array {
  return bytes.subarray(payloadStarts[at], payloadEnds[at]);
}

function requireU32(block: DataShareBlock, at: number): void {
  const rPit = block.rPits[at]!; // there is one for each packet
  if (rPit >= 0 && rPit <= MAX_U32) return;
  throw new RPitOutOfRange(`r_pit of packet ${uuidOf(block, at)} is ${rPit}, not between 0 and ${MAX_U32}`);
}

function uuidOf({ uuids }: DataShareBlock, at: number): string {
  return formatUuid(uuids.subarray(16 * at, 16 * at + 16));
}
