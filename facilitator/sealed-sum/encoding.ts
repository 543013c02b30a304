import { UUID_BYTES } from '../../common/domain/uuid.ts';
import { contentFault, DIGEST_LENGTH, type SealedSumContent } from './content.ts';

/*
 * The plaintext of a sealed sum. All numbers are little-endian. Source: docs/protocol.md, "Sealed sum".
 */

/** Of what is encrypted and of how it is sealed; there is one version for both. */
export const FORMAT_VERSION = 1;

const WORD = 4;
const VERSION_AT = 0;
const BINS_AT = 4;
const PACKETS_AT = 8;
const LEFT_OUT_AT = 12;
const REPEATS_AT = 16;
const PAYLOAD_BYTES_AT = 20;
const DIGEST_AT = 28;
/** Bytes before the sum. */
const HEAD_LENGTH = DIGEST_AT + DIGEST_LENGTH;

/** What was read, or why it cannot be. */
export type DecodedContent =
  | { readonly kind: 'content'; readonly content: SealedSumContent }
  | { readonly kind: 'malformed'; readonly why: string };

/** @throws RangeError if it is no content that would be read again, which is a bug of the caller's */
export function encodeContent(content: SealedSumContent): Buffer {
  const fault = contentFault(content);
  if (fault !== undefined) throw new RangeError(`no content of a sealed sum: ${fault}`);
  const { sum, leftOut, repeats } = content;
  const bytes = Buffer.alloc(lengthOf(sum.length, leftOut.positions.length, repeats.length));
  bytes.writeUInt32LE(FORMAT_VERSION, VERSION_AT);
  bytes.writeUInt32LE(content.bins, BINS_AT);
  bytes.writeUInt32LE(content.packets, PACKETS_AT);
  bytes.writeUInt32LE(leftOut.positions.length, LEFT_OUT_AT);
  bytes.writeUInt32LE(repeats.length, REPEATS_AT);
  bytes.writeBigUInt64LE(BigInt(content.payloadBytes), PAYLOAD_BYTES_AT);
  bytes.set(content.validationDigest, DIGEST_AT);
  let at = writeWords(bytes, HEAD_LENGTH, sum);
  at = writeWords(bytes, at, leftOut.positions);
  bytes.set(leftOut.uuids, at);
  writeWords(bytes, at + leftOut.uuids.length, repeats);
  return bytes;
}

/** Reads any bytes without throwing, and allocates no more than they take themselves. */
export function decodeContent(bytes: Uint8Array): DecodedContent {
  if (bytes.length < HEAD_LENGTH) return malformed(`${bytes.length} bytes are too few`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(VERSION_AT, true);
  if (version !== FORMAT_VERSION) return malformed(`the content is of version ${version}`);
  const bins = view.getUint32(BINS_AT, true);
  const leftOutCount = view.getUint32(LEFT_OUT_AT, true);
  const repeatCount = view.getUint32(REPEATS_AT, true);
  const length = lengthOf(bins, leftOutCount, repeatCount);
  if (bytes.length !== length) return malformed(`${bytes.length} bytes where the counts make ${length}`);
  const leftOutAt = HEAD_LENGTH + WORD * bins;
  const uuidsAt = leftOutAt + WORD * leftOutCount;
  const repeatsAt = uuidsAt + UUID_BYTES * leftOutCount;
  const content: SealedSumContent = {
    bins,
    packets: view.getUint32(PACKETS_AT, true),
    sum: readWords(view, HEAD_LENGTH, bins),
    leftOut: {
      positions: readWords(view, leftOutAt, leftOutCount),
      uuids: Uint8Array.from(bytes.subarray(uuidsAt, repeatsAt)),
    },
    repeats: readWords(view, repeatsAt, repeatCount),
    // Beyond 2^53 it is rounded, and refused below.
    payloadBytes: Number(view.getBigUint64(PAYLOAD_BYTES_AT, true)),
    validationDigest: Uint8Array.from(bytes.subarray(DIGEST_AT, HEAD_LENGTH)),
  };
  const fault = contentFault(content);
  return fault === undefined ? { kind: 'content', content } : malformed(fault);
}

/** Below 2^53 for any three unsigned 32-bit integers, hence exact. */
function lengthOf(bins: number, leftOut: number, repeats: number): number {
  return HEAD_LENGTH + WORD * bins + (WORD + UUID_BYTES) * leftOut + WORD * repeats;
}

const malformed = (why: string): DecodedContent => ({ kind: 'malformed', why });

/** @returns where they end */
function writeWords(bytes: Buffer, at: number, words: Uint32Array): number {
  let end = at;
  for (const word of words) end = bytes.writeUInt32LE(word, end);
  return end;
}

function readWords(view: DataView, at: number, count: number): Uint32Array {
  const words = new Uint32Array(count);
  for (let i = 0; i < count; i++) words[i] = view.getUint32(at + WORD * i, true);
  return words;
}
