import type { ServerIndex } from '../common/domain/batch-path.ts';
import type { DataSharePacket, Long } from './codec/records.ts';
import type { PacketDecryptor } from './crypto/ecies.ts';
import { PacketMalformed, PacketUndecryptable, RPitOutOfRange } from './errors.ts';
import { shareLayout, type ShareLayout } from './prio/layout.ts';
import { unpackShare } from './prio/share.ts';
import { ShareEvaluator, type VerificationMessage } from './prio/verification.ts';

const MAX_U32 = 0xffff_ffff;

/** Whether an Avro long is an unsigned 32-bit integer. */
export function isU32(value: Long): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_U32;
}

/** What a server learns from a packet. */
export interface OpenedPacket {
  /** `bins + 3 + N` field elements, the data first. */
  readonly share: Uint32Array;
  /** `undefined` where the packet's evaluation point is a root of unity, so that nothing may be said about it. */
  readonly message: VerificationMessage | undefined;
}

/** Opens the packets of one batch: decrypts, unpacks, evaluates. */
export class PacketOpener {
  readonly #layout: ShareLayout;
  readonly #isFirst: boolean;
  readonly #decryptors: readonly PacketDecryptor[];
  readonly #evaluator: ShareEvaluator;
  readonly #keyUses = new Map<string, number>();
  #payloadBytes = 0;

  /** @throws BinsOutOfRange */
  constructor(bins: number, server: ServerIndex, decryptors: readonly PacketDecryptor[]) {
    this.#layout = shareLayout(bins);
    this.#isFirst = server === 0;
    this.#decryptors = decryptors;
    this.#evaluator = new ShareEvaluator(this.#layout, this.#isFirst);
  }

  /** Packets opened so far, by the `keyId` of the key that opened them. */
  get keyUses(): ReadonlyMap<string, number> {
    return this.#keyUses;
  }

  /** Bytes of the encrypted payloads of the packets opened so far. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** @throws RPitOutOfRange, PacketUndecryptable, PacketMalformed */
  open(packet: DataSharePacket): OpenedPacket {
    const rPit = packet.r_pit;
    if (!isU32(rPit))
      throw new RPitOutOfRange(`r_pit of packet ${packet.uuid} is ${rPit}, not between 0 and ${MAX_U32}`);
    const share = this.#unpack(packet);
    return { share, message: this.#evaluator.evaluate(share, rPit) };
  }

  #unpack(packet: DataSharePacket): Uint32Array {
    try {
      return unpackShare(this.#decrypt(packet), this.#layout, this.#isFirst);
    } catch (err) {
      if (err instanceof PacketMalformed) throw new PacketMalformed(`packet ${packet.uuid}: ${err.message}`);
      throw err;
    }
  }

  /**
   * The keys are tried in the order given, always: AES-GCM does not commit to a key, so a payload can be made that
   * opens under two, and every execution must see the same plaintext. `encryption_key_id` is a hint from outside and
   * is not followed.
   */
  #decrypt(packet: DataSharePacket): Buffer {
    for (const decryptor of this.#decryptors) {
      const plain = decryptor.decrypt(packet.encrypted_payload);
      if (!plain) continue;
      this.#keyUses.set(decryptor.keyId, (this.#keyUses.get(decryptor.keyId) ?? 0) + 1);
      this.#payloadBytes += packet.encrypted_payload.length;
      return plain;
    }
    throw new PacketUndecryptable(
      `packet ${packet.uuid} opens under none of the ${this.#decryptors.length} packet decryption keys`,
    );
  }
}
