import type { ServerIndex } from '../../common/domain/batch-path.ts';
import type { PacketDecryptor } from '../crypto/ecies.ts';
import type { PacketChunk } from './packet-chunk.ts';

/** What is needed to open the packets of a batch, and the same for all of them. */
export interface BatchContext {
  /** Within the limits of `shareLayout`. */
  readonly bins: number;
  readonly server: ServerIndex;
  /** In the order in which they are tried. */
  readonly decryptors: readonly PacketDecryptor[];
}

/** What a server learns from the packets of a chunk. */
export interface OpenedPackets {
  readonly count: number;
  /** 16 bytes each, in file order. */
  readonly uuids: Uint8Array;
  /** `f_r`, `g_r`, `h_r` of each in turn, elements of the field; zeros where nothing may be said. */
  readonly messages: Uint32Array;
  /** A byte each: 1, or 0 where the evaluation point is a root of unity, so that nothing may be said. */
  readonly told: Uint8Array;
  /** The sum of the data of those that `told` marks, repeats of a UUID included; `bins` field elements. */
  readonly sum: Uint32Array;
  /** Bytes of the encrypted payloads. */
  readonly payloadBytes: number;
  /** How many packets each of `decryptors` opened. */
  readonly keyUses: readonly number[];
}

/** Some packets of a chunk that were opened once more. */
export interface SummedPackets {
  /** Of their data; `bins` field elements. */
  readonly sum: Uint32Array;
  /** As in `OpenedPackets`. */
  readonly messages: Uint32Array;
}

/** Opens packets: decodes, decrypts, evaluates, sums. */
export interface PacketEngine extends AsyncDisposable {
  /** How many chunks it works on at once. */
  readonly threads: number;

  /**
   * @throws the Avro errors for a chunk with an unsound block, else for the first packet that does not open
   *   RPitOutOfRange, PacketUndecryptable, PacketMalformed
   */
  open(chunk: PacketChunk, context: BatchContext): Promise<OpenedPackets>;

  /**
   * Opens some packets of a chunk that did open.
   * @param positions ascending, within the chunk, from 0
   * @throws as `open`, if they do not open any more
   */
  sumOf(chunk: PacketChunk, positions: Uint32Array, context: BatchContext): Promise<SummedPackets>;

  /** Whether the chunk's records are sound, of whatever content. @throws the Avro errors if they are not */
  check(chunk: PacketChunk): Promise<void>;
}
