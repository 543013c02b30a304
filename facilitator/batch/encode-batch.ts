import type { BatchKeys } from '../../common/domain/batch-path.ts';
import type { RecordType } from '../codec/record-types.ts';
import { batchSignature } from '../codec/record-types.ts';
import { encodeFile } from '../codec/write.ts';
import { signHeader, type SigningKey } from '../crypto/signature.ts';
import { sha256 } from './read-batch.ts';

/** What is stored beside the packet file. All but the signature are the same bytes for the same content, always. */
export interface EncodedHeader {
  readonly headerFile: Buffer;
  /** ECDSA over `headerFile`, DER. */
  readonly signature: Buffer;
}

/** The three files of a batch. */
export interface EncodedBatch extends EncodedHeader {
  readonly packetFile: Buffer;
}

export interface HeaderContent<H> {
  readonly headerType: RecordType<H>;
  /** The header, given the SHA-256 of the packet file. */
  readonly header: (packetFileDigest: Buffer) => H;
  readonly headerMetadata?: Readonly<Record<string, string>>;
}

export interface BatchContent<H, P> extends HeaderContent<H> {
  readonly packetType: RecordType<P>;
  readonly packets: Iterable<P>;
}

/** Encodes and signs a batch; the names go into the files' sync markers. docs/protocol.md, "Container files". */
export function encodeBatch<H, P>(keys: BatchKeys, content: BatchContent<H, P>, signingKey: SigningKey): EncodedBatch {
  const packetFile = encodeFile(content.packetType, content.packets, keys.packets);
  return { packetFile, ...encodeHeader(keys, content, sha256(packetFile), signingKey) };
}

/** As `encodeBatch`, for a packet file that has been encoded already. @param packetFileDigest its SHA-256 */
export function encodeHeader<H>(
  keys: BatchKeys,
  content: HeaderContent<H>,
  packetFileDigest: Buffer,
  signingKey: SigningKey,
): EncodedHeader {
  const header = content.header(packetFileDigest);
  const headerFile = encodeFile(content.headerType, [header], keys.header, content.headerMetadata);
  return { headerFile, signature: signHeader(headerFile, signingKey) };
}

/** The signature object of a batch; with a packet file, of a batch that is this one object. */
export function encodeSignature(
  keys: BatchKeys,
  { headerFile, signature }: EncodedHeader,
  keyIdentifier: string,
  inline?: Uint8Array,
): Buffer {
  const record = {
    batch_header_signature: signature,
    key_identifier: keyIdentifier,
    batch_header: inline ? headerFile : null,
    packets: inline ?? null,
  };
  return encodeFile(batchSignature, [record], keys.signature);
}
