import { formatUuid, UUID_BYTES } from '../../common/domain/uuid.ts';
import type { PacketDecryptor } from '../crypto/ecies.ts';
import { PacketMalformed, PacketUndecryptable, RPitOutOfRange } from '../errors.ts';
import type { BlockEvaluator } from '../prio/block-evaluator.ts';
import { decodeChunk, type ChunkPackets } from './chunk-packets.ts';
import { OpenedPacketsBuilder } from './opened-packets-builder.ts';
import type { PacketChunk } from './packet-chunk.ts';
import type { OpenedPackets, SummedPackets } from './packet-engine.ts';

const MAX_U32 = 0xffff_ffff;

/** Packets that were loaded into the evaluator, by their place there. */
interface LoadedPackets {
  readonly rPits: Uint32Array;
  /** The index of the key that opened each. */
  readonly keys: readonly number[];
}

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
    const packets = decodeChunk(chunk);
    const evaluator = this.#evaluator;
    const opened = new OpenedPacketsBuilder(packets.uuids, evaluator.layout.bins, this.#decryptors.length);
    for (const rows of inBlocks(Uint32Array.from(packets.payloads.keys()), evaluator.capacity)) {
      const { rPits, keys } = this.#load(packets, rows);
      keys.forEach((key, i) => opened.countKey(key, packets.payloads[rows[i]!]!.length)); // one for each row
      const evaluated = evaluator.evaluate(rPits);
      opened.append(evaluated);
      evaluator.accumulate(evaluated.told, opened.sum);
    }
    return opened.result();
  }

  /** @throws as `PacketEngine.sumOf` */
  sumOf(chunk: PacketChunk, positions: Uint32Array): SummedPackets {
    const packets = decodeChunk(chunk);
    const evaluator = this.#evaluator;
    const sum = new Uint32Array(evaluator.layout.bins);
    const messages = new Uint32Array(3 * positions.length);
    let done = 0;
    for (const rows of inBlocks(positions, evaluator.capacity)) {
      const { rPits } = this.#load(packets, rows);
      messages.set(evaluator.evaluate(rPits).messages, 3 * done);
      evaluator.accumulate(new Uint8Array(rows.length).fill(1), sum);
      done += rows.length;
    }
    return { sum, messages };
  }

  /**
   * Decrypts the packets in these rows into the evaluator, in this order: if some cannot be, the first of them is what
   * is reported.
   */
  #load(packets: ChunkPackets, rows: Uint32Array): LoadedPackets {
    const payloads = Array.from(rows, (row) => packets.payloads[row]!); // rows of the chunk
    const rPits = new Uint32Array(rows.length);
    const keys: number[] = [];
    const byFirstKey = this.#decryptors[0]?.decryptAll(payloads) ?? [];
    for (const [i, payload] of payloads.entries()) {
      const row = rows[i]!; // one for each payload
      rPits[i] = requiredU32(packets, row);
      const { plain, key } = byFirstKey[i]
        ? { plain: byFirstKey[i], key: 0 }
        : this.#openByOthers(payload, () => uuidAt(packets, row));
      try {
        this.#evaluator.load(i, plain);
      } catch (err) {
        if (!(err instanceof PacketMalformed)) throw err;
        throw new PacketMalformed(`packet ${uuidAt(packets, row)}: ${err.message}`);
      }
      keys.push(key);
    }
    return { rPits, keys };
  }

  /**
   * Opens what the first key does not. The keys are tried in the order given, always: AES-GCM does not commit to a key,
   * so a payload can be made that opens under two, and every execution must see the same plaintext.
   * `encryption_key_id` is a hint from outside and is not followed.
   */
  #openByOthers(payload: Uint8Array, uuid: () => string): { readonly plain: Uint8Array; readonly key: number } {
    for (let key = 1; key < this.#decryptors.length; key++) {
      const plain = this.#decryptors[key]!.decrypt(payload); // the index is in range
      if (plain) return { plain, key };
    }
    throw new PacketUndecryptable(
      `packet ${uuid()} opens under none of the ${this.#decryptors.length} packet decryption keys`,
    );
  }
}

/** In pieces of at most `size`, of which only the last is shorter. */
function* inBlocks(rows: Uint32Array, size: number): Generator<Uint32Array> {
  for (let begin = 0; begin < rows.length; begin += size) yield rows.subarray(begin, begin + size);
}

function requiredU32(packets: ChunkPackets, row: number): number {
  const rPit = packets.rPits[row]!; // there is one for each packet
  if (rPit >= 0 && rPit <= MAX_U32) return rPit;
  throw new RPitOutOfRange(`r_pit of packet ${uuidAt(packets, row)} is ${rPit}, not between 0 and ${MAX_U32}`);
}

function uuidAt({ uuids }: ChunkPackets, row: number): string {
  return formatUuid(uuids.subarray(UUID_BYTES * row, UUID_BYTES * (row + 1)));
}
