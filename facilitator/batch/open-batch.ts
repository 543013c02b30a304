import type { BatchKeys } from '../../common/domain/batch-path.ts';
import type { Storage, StorageOptions } from '../../common/ports/storage.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { readSingleRecord } from '../codec/read.ts';
import { batchSignature, type RecordType } from '../codec/record-types.ts';
import type { KeySource } from '../crypto/key-source.ts';
import { isSignedBy } from '../crypto/signature.ts';
import { SignatureInvalid, SigningKeyUnknown, type DigestMismatch } from '../errors.ts';
import { PacketFile } from './packet-file.ts';

/** Which batch to read, and as what. */
export interface BatchSource<H> {
  readonly storage: Storage;
  readonly keys: BatchKeys;
  readonly headerType: RecordType<H>;
  readonly packetType: RecordType<unknown>;
}

/** Whom to believe. */
export interface BatchTrust {
  /** The public keys of the author. */
  readonly keys: KeySource;
  /**
   * If present, a wrong signature or digest is reported here and the batch is read all the same
   * (`permit-malformed-batch`); if absent, it is thrown.
   */
  readonly onMalformed?: (error: SignatureInvalid | DigestMismatch) => void;
}

/** A batch whose signature and header are in order, as far as they had to be; nothing is known of its packets. */
export interface OpenBatch<H> {
  readonly header: H;
  /** The file that the header was read from, which is what is signed. */
  readonly headerFile: Uint8Array;
  /** The name of the key, by the signature file; the signature does not cover it. */
  readonly keyIdentifier: string;
  /** Metadata of the header's container file, covered by the signature. */
  readonly headerMetadata: ReadonlyMap<string, Buffer>;
  readonly packetFile: PacketFile;
}

/**
 * Reads signature and header of a batch and checks them, in this order. docs/protocol.md, "Reading a batch".
 * @throws ObjectMissing for the signature or header
 * @throws SigningKeyUnknown, SignatureInvalid, the Avro errors, and those of `trust.keys`
 */
export async function openBatch<H extends { readonly packet_file_digest: Uint8Array }>(
  { storage, keys, headerType, packetType }: BatchSource<H>,
  trust: BatchTrust,
  signal?: AbortSignal,
): Promise<OpenBatch<H>> {
  const options: StorageOptions = { signal };
  const { record: signature } = readSingleRecord(batchSignature, await readObject(storage, keys.signature, options));
  // Only a signature file that holds both halves is a batch in one object.
  const inline =
    signature.batch_header && signature.packets
      ? { header: signature.batch_header, packets: signature.packets }
      : undefined;
  const headerFile = inline ? inline.header : await readObject(storage, keys.header, options);

  const place = `${keys.header} in ${storage.url}`;
  const key = await trust.keys.find(signature.key_identifier, signal);
  if (!key) {
    throw new SigningKeyUnknown(
      `${place} is signed with key "${signature.key_identifier}", which is not among the public keys of its author by ${trust.keys.origin}`,
    );
  }
  if (!isSignedBy(headerFile, signature.batch_header_signature, key)) {
    const error = new SignatureInvalid(
      `the signature of ${place} by key "${signature.key_identifier}" does not verify`,
    );
    if (!trust.onMalformed) throw error;
    trust.onMalformed(error);
  }
  const { record: header, metadata } = readSingleRecord(headerType, headerFile);
  const packetFile = new PacketFile({
    storage,
    key: keys.packets,
    type: packetType,
    inline: inline?.packets,
    statedDigest: header.packet_file_digest,
    onMismatch: trust.onMalformed,
  });
  return { header, headerFile, keyIdentifier: signature.key_identifier, headerMetadata: metadata, packetFile };
}
