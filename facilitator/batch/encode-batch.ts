import type { BatchKeys } from '../../common/domain/batch-path.ts';
import type { RecordType } from '../codec/record-types.ts';
import { batchSignature } from '../codec/record-types.ts';
import { encodeFile } from '../codec/write.ts';
import { signHeader, type SigningKey } from '../crypto/signature.ts';
import { sha256 } from './read-batch.ts';

/** The three files of a batch. All but the signature are the same bytes for the same content, always. */
export interface EncodedBatch {
  readonly packetFile: Buffer;
  readonly headerFile: Buffer;
  /** ECDSA over `headerFile`, DER. */
  readonly signature: Buffer;
}

export interface BatchContent<H, P> {
  readonly headerType: RecordType<H>;
  /** The header, given the SHA-256 of the packet file. */
  readonly header: (packetFileDigest: Buffer) => H;
  readonly headerMetadata?: Readonly<Record<string, string>>;
  readonly packetType: RecordType<P>;
  readonly packets: Iterable<P>;
}

/** Encodes and signs a batch; the names go into the files' sync markers. docs/protocol.md, "Container files". */
export function encodeBatch<H, P>(keys: BatchKeys, content: BatchContent<H, P>, signingKey: SigningKey): EncodedBatch {
  return encodeHeader(keys, content, encodeFile(content.packetType, content.packets, keys.packets), signingKey);
}

/** As `encodeBatch`, over a packet file that has been encoded already. */
export function encodeHeader<H>(
  keys: BatchKeys,
  content: Omit<BatchContent<H, unknown>, 'packetType' | 'packets'>,
  packetFile: Buffer,
  signingKey: SigningKey,
): EncodedBatch {
  const header = content.header(sha256(packetFile));
  const headerFile = encodeFile(content.headerType, [header], keys.header, content.headerMetadata);
  return { packetFile, headerFile, signature: signHeader(headerFile, signingKey) };
}

/** The signature object of a batch in three objects, or, with `inline`, of a batch that is this one object. */
export function encodeSignature(
  keys: BatchKeys,
  { headerFile, packetFile, signature }: EncodedBatch,
  keyIdentifier: string,
  inline = false,
): Buffer {
  const record = {
    batch_header_signature: signature,
    key_identifier: keyIdentifier,
    batch_header: inline ? headerFile : null,
    packets: inline ? packetFile : null,
  };
  return encodeFile(batchSignature, [record], keys.signature);
}
