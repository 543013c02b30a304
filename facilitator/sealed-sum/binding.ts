import type { BatchId, ServerIndex } from '../../common/domain/batch-path.ts';
import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { uuidBytes } from '../../common/domain/uuid.ts';
import { DIGEST_LENGTH } from './content.ts';
import { FORMAT_VERSION } from './encoding.ts';

/** What a sealed sum is of. It opens for nothing else. */
export interface SumBinding {
  readonly aggregationId: string;
  readonly batch: BatchId;
  /** Who sealed it. */
  readonly server: ServerIndex;
  /** SHA-256 of the packet file of the ingestion batch, as stored, 32 bytes. */
  readonly ingestionPacketFileDigest: Uint8Array;
}

/** Keeps these bytes apart from all else that is ever authenticated or hashed. */
const PURPOSE = 'data-share-processor sealed sum';

/**
 * The binding and the format's version as bytes: each part after its length, so that no two bindings have the same ones.
 * docs/protocol.md, "Sealed sum".
 * @throws RangeError if the digest is none
 */
export function encodeBinding({ aggregationId, batch, server, ingestionPacketFileDigest }: SumBinding): Buffer {
  if (ingestionPacketFileDigest.length !== DIGEST_LENGTH) {
    throw new RangeError(`a SHA-256 has ${DIGEST_LENGTH} bytes, not ${ingestionPacketFileDigest.length}`);
  }
  return Buffer.concat(
    [
      Buffer.from(PURPOSE),
      Uint8Array.of(FORMAT_VERSION),
      Buffer.from(aggregationId),
      uuidBytes(batch.id),
      Buffer.from(formatBatchTime(batch.time)),
      Uint8Array.of(server),
      ingestionPacketFileDigest,
    ].flatMap((part) => [length(part), part]),
  );
}

function length(part: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(part.length);
  return bytes;
}
