import { createHash } from 'node:crypto';
import type { BatchKeys } from '../../common/domain/batch-path.ts';
import { ObjectMissing, type DspError } from '../../common/errors.ts';
import type { Storage, StorageOptions } from '../../common/ports/storage.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { readRecords, readSingleRecord } from '../codec/read.ts';
import { batchSignature, type RecordType } from '../codec/record-types.ts';
import type { KeySource } from '../crypto/key-source.ts';
import { isSignedBy } from '../crypto/signature.ts';
import { DigestMismatch, SignatureInvalid, SigningKeyUnknown } from '../errors.ts';

/** Which batch to read, and as what. */
export interface BatchSource<H, P> {
  readonly storage: Storage;
  readonly keys: BatchKeys;
  readonly headerType: RecordType<H>;
  readonly packetType: RecordType<P>;
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

/** A batch whose signature, digest and Avro are in order, as far as they had to be. */
export interface SignedBatch<H, P> {
  readonly header: H;
  /** The file that the header was read from, which is what is signed. */
  readonly headerFile: Uint8Array;
  /** The name of the key, by the signature file; the signature does not cover it. */
  readonly keyIdentifier: string;
  /** Metadata of the header's container file, covered by the signature. */
  readonly headerMetadata: ReadonlyMap<string, Buffer>;
  /** SHA-256 of the packet file as it was read, whatever the header states. */
  readonly packetFileDigest: Buffer;
  readonly packetCount: number;
  /** The packets in file order, decoded anew at each call so that they need not all be in memory. */
  readonly packets: () => Iterable<P>;
}

interface BatchFiles {
  readonly headerFile: Uint8Array;
  /** `undefined` if there is no such object. */
  readonly packetFile: Uint8Array | undefined;
}

/**
 * Reads a batch and checks, in this order, signature, header, digest and packets. docs/protocol.md, "Reading a batch".
 * @throws ObjectMissing for the signature or header, or for a packet file that is not empty by its digest
 * @throws SigningKeyUnknown, SignatureInvalid, DigestMismatch, the Avro errors, and those of `trust.keys`
 */
export async function readBatch<H extends { readonly packet_file_digest: Uint8Array }, P>(
  source: BatchSource<H, P>,
  trust: BatchTrust,
  signal?: AbortSignal,
): Promise<SignedBatch<H, P>> {
  const { storage, keys } = source;
  const options = { signal };
  const signatureFile = await readObject(storage, keys.signature, options);
  const { record: signature } = readSingleRecord(batchSignature, signatureFile);
  // Only a signature file that holds both halves is a batch in one object.
  const files: BatchFiles =
    signature.batch_header && signature.packets
      ? { headerFile: signature.batch_header, packetFile: signature.packets }
      : await fetchFiles(storage, keys, options);

  const place = `${keys.header} in ${storage.url}`;
  const key = await trust.keys.find(signature.key_identifier, signal);
  if (!key) {
    throw new SigningKeyUnknown(
      `${place} is signed with key "${signature.key_identifier}", which is not among the public keys of its author by ${trust.keys.origin}`,
    );
  }
  if (!isSignedBy(files.headerFile, signature.batch_header_signature, key)) {
    report(
      trust,
      new SignatureInvalid(`the signature of ${place} by key "${signature.key_identifier}" does not verify`),
    );
  }
  const { record: header, metadata } = readSingleRecord(source.headerType, files.headerFile);
  const packetFile = files.packetFile ?? new Uint8Array(0);
  const packetFileDigest = sha256(packetFile);
  if (!packetFileDigest.equals(header.packet_file_digest)) reportMismatch(files, source, trust);
  return {
    header,
    headerFile: files.headerFile,
    keyIdentifier: signature.key_identifier,
    headerMetadata: metadata,
    packetFileDigest,
    packetCount: countRecords(source.packetType, packetFile),
    packets: () => readRecords(source.packetType, packetFile),
  };
}

async function fetchFiles(storage: Storage, keys: BatchKeys, options: StorageOptions): Promise<BatchFiles> {
  const headerFile = await readObject(storage, keys.header, options);
  try {
    return { headerFile, packetFile: await readObject(storage, keys.packets, options) };
  } catch (err) {
    if (err instanceof ObjectMissing) return { headerFile, packetFile: undefined };
    throw err;
  }
}

/**
 * Cloud writers leave no object where there are no packets, so a missing one may be in order, but only the digest can
 * say so; to take a lost one for empty would drop every packet in it, hence no permission to be malformed reaches this
 * far.
 */
function reportMismatch<H, P>(
  { packetFile }: BatchFiles,
  { storage, keys }: BatchSource<H, P>,
  trust: BatchTrust,
): void {
  if (packetFile === undefined) {
    throw new ObjectMissing(`no object ${keys.packets} in ${storage.url}, and its header says that it is not empty`);
  }
  report(
    trust,
    new DigestMismatch(`${keys.packets} in ${storage.url} is not the packet file that its header describes`),
  );
}

function report(trust: BatchTrust, error: SignatureInvalid | DigestMismatch): void {
  if (!trust.onMalformed) throw error satisfies DspError;
  trust.onMalformed(error);
}

/** Decodes everything once, so that a corrupt file is found before the first packet is used. */
function countRecords<P>(type: RecordType<P>, file: Uint8Array): number {
  let count = 0;
  for (const _ of readRecords(type, file)) count++;
  return count;
}

/** SHA-256, 32 bytes. */
export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
