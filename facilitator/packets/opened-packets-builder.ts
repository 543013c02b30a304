import { UUID_BYTES } from '../../common/domain/uuid.ts';
import type { BlockMessages } from '../prio/block-evaluator.ts';
import type { OpenedPackets } from './packet-engine.ts';

/** Puts together what is learned from the packets of a chunk, in file order. */
export class OpenedPacketsBuilder {
  /** To be added to from outside; `bins` field elements. */
  readonly sum: Uint32Array;
  readonly #uuids: Uint8Array;
  readonly #messages: Uint32Array;
  readonly #told: Uint8Array;
  readonly #keyUses: number[];
  #payloadBytes = 0;
  #count = 0;

  /** @param uuids 16 bytes for each packet */
  constructor(uuids: Uint8Array, bins: number, keys: number) {
    const packets = uuids.length / UUID_BYTES;
    this.sum = new Uint32Array(bins);
    this.#uuids = uuids;
    this.#messages = new Uint32Array(3 * packets);
    this.#told = new Uint8Array(packets);
    this.#keyUses = Array.from({ length: keys }, () => 0);
  }

  /** A payload of that many bytes was opened by the key with that index. */
  countKey(key: number, payloadBytes: number): void {
    this.#keyUses[key] = (this.#keyUses[key] ?? 0) + 1;
    this.#payloadBytes += payloadBytes;
  }

  /** The messages about the packets that come next. */
  append({ messages, told }: BlockMessages): void {
    this.#messages.set(messages, 3 * this.#count);
    this.#told.set(told, this.#count);
    this.#count += told.length;
  }

  result(): OpenedPackets {
    return {
      count: this.#count,
      uuids: this.#uuids,
      messages: this.#messages,
      told: this.#told,
      sum: this.sum,
      payloadBytes: this.#payloadBytes,
      keyUses: this.#keyUses,
    };
  }
}
