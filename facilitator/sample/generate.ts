import { ingestionKeys, type BatchId } from '../../common/domain/batch-path.ts';
import { formatUuidV4 } from '../../common/domain/uuid.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { breathe, PACKETS_PER_BREATH } from '../../common/runtime/breathe.ts';
import { writeBatch } from '../batch/write-batch.ts';
import type { DataSharePacket, IngestionHeader } from '../codec/records.ts';
import { dataSharePacket, ingestionHeader } from '../codec/record-types.ts';
import { encryptPayload } from '../crypto/ecies.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { splitContribution, type RandomBytes } from '../prio/client.ts';
import { P } from '../prio/field.ts';
import { sampleData } from './sample-data.ts';

/** The evaluation point of every sample packet, as the reference's generator has it. */
const SAMPLE_R_PIT = 998314904;

/** One server's side of a sample. */
export interface SampleRecipient {
  readonly output: Storage;
  /** 65-byte point. */
  readonly encryptionKey: Uint8Array;
}

export interface SampleRequest {
  readonly aggregationId: string;
  readonly batch: BatchId;
  /** 1 to 256. */
  readonly bins: number;
  readonly packetCount: number;
  readonly epsilon: number;
  /** Milliseconds since 1970. */
  readonly batchStartTimeMs: number;
  readonly batchEndTimeMs: number;
  readonly pha: SampleRecipient;
  readonly facilitator: SampleRecipient;
  /** The ingestion server's. */
  readonly signingKey: SigningKey;
  readonly random: RandomBytes;
}

/**
 * Writes one ingestion batch for each server, the facilitator's first, as an ingestion server would.
 * docs/protocol.md, "Samples".
 */
export async function generateSample(request: SampleRequest, signal?: AbortSignal): Promise<void> {
  const pha: DataSharePacket[] = [];
  const facilitator: DataSharePacket[] = [];
  for (let n = 0; n < request.packetCount; n++) {
    if (n % PACKETS_PER_BREATH === 0) await breathe(signal);
    const data = sampleData(request.batch.id, n, request.bins);
    const { first, second } = splitContribution(data, request.random);
    const uuid = formatUuidV4(request.random(16));
    const seal = (recipient: SampleRecipient, plain: Uint8Array): Uint8Array =>
      encryptPayload(recipient.encryptionKey, plain, request.random);
    pha.push(packet(uuid, seal(request.pha, first), 'pha-fake-key-1'));
    facilitator.push(packet(uuid, seal(request.facilitator, second), null));
  }
  await writeIngestionBatch(request, request.facilitator.output, facilitator, signal);
  await writeIngestionBatch(request, request.pha.output, pha, signal);
}

function packet(uuid: string, payload: Uint8Array, keyId: string | null): DataSharePacket {
  return {
    uuid,
    encrypted_payload: payload,
    encryption_key_id: keyId,
    r_pit: SAMPLE_R_PIT,
    version_configuration: 'config-1',
    device_nonce: null,
  };
}

async function writeIngestionBatch(
  request: SampleRequest,
  output: Storage,
  packets: readonly DataSharePacket[],
  signal?: AbortSignal,
): Promise<void> {
  const keys = ingestionKeys(request.aggregationId, request.batch);
  const header = (packetFileDigest: Uint8Array): IngestionHeader => ({
    batch_uuid: request.batch.id,
    name: request.aggregationId,
    bins: request.bins,
    epsilon: request.epsilon,
    prime: P,
    number_of_servers: 2,
    hamming_weight: null,
    batch_start_time: request.batchStartTimeMs,
    batch_end_time: request.batchEndTimeMs,
    packet_file_digest: packetFileDigest,
  });
  const content = { headerType: ingestionHeader, header, packetType: dataSharePacket, packets };
  await writeBatch(output, keys, content, request.signingKey, signal);
}
