import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ingestionKeys, type BatchId } from '../../common/domain/batch-path.ts';
import { sha256 } from '../../facilitator/batch/read-batch.ts';
import type { IngestionHeader } from '../../facilitator/codec/records.ts';
import { batchSignature, ingestionHeader } from '../../facilitator/codec/record-types.ts';
import { encodeFile } from '../../facilitator/codec/write.ts';
import { signHeader } from '../../facilitator/crypto/signature.ts';
import { ingestionHeaderOf } from './batches.ts';
import { AGGREGATION, ingestorKey } from './servers.ts';

/** An ingestion batch as bytes that need make no sense. What is not given is as it should be, and the header is signed. */
export interface RawBatch {
  readonly packetFile?: Uint8Array;
  /** Of the header. */
  readonly bins?: number;
  /** Given the SHA-256 of the packet file. */
  readonly headerFile?: (header: IngestionHeader) => Uint8Array;
  /** Given the header file. */
  readonly signature?: (headerFile: Uint8Array) => Uint8Array;
  /** Given the record that it should hold. */
  readonly signatureFile?: (record: SignatureRecord) => Uint8Array;
  /** Whether header and packets are within the signature. */
  readonly singleObject?: boolean;
}

type SignatureRecord = Parameters<typeof encodeSignatures>[0][number];

export function encodeSignatures(
  records: readonly {
    readonly batch_header_signature: Uint8Array;
    readonly key_identifier: string;
    readonly batch_header: Uint8Array | null;
    readonly packets: Uint8Array | null;
  }[],
): Buffer {
  return encodeFile(batchSignature, records, 'signature');
}

/** Writes the batch to where the ingestion server would, as plain files. */
export function writeRawBatch(directory: string, batch: BatchId, raw: RawBatch & { packetFile: Uint8Array }): void {
  const keys = ingestionKeys(AGGREGATION, batch);
  const { packetFile, bins = 10, singleObject = false } = raw;
  const header = ingestionHeaderOf(batch, bins, sha256(packetFile));
  const headerFile = raw.headerFile?.(header) ?? encodeFile(ingestionHeader, [header], keys.header);
  const record = {
    batch_header_signature: raw.signature?.(headerFile) ?? signHeader(headerFile, ingestorKey),
    key_identifier: ingestorKey.identifier,
    batch_header: singleObject ? headerFile : null,
    packets: singleObject ? packetFile : null,
  };
  const signatureFile = raw.signatureFile?.(record) ?? encodeSignatures([record]);
  const files = singleObject ? [] : [[keys.packets, packetFile] as const, [keys.header, headerFile] as const];
  for (const [key, bytes] of [...files, [keys.signature, signatureFile] as const]) {
    mkdirSync(dirname(`${directory}/${key}`), { recursive: true });
    writeFileSync(`${directory}/${key}`, bytes);
  }
}
