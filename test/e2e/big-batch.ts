import { ingestionKeys, type BatchId } from '../../common/domain/batch-path.ts';
import { HOUR_MS } from '../../common/domain/interval.ts';
import { formatUuidV4 } from '../../common/domain/uuid.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { writeBatch } from '../../facilitator/batch/write-batch.ts';
import type { DataSharePacket } from '../../facilitator/codec/records.ts';
import { dataSharePacket, ingestionHeader } from '../../facilitator/codec/record-types.ts';
import { encryptPayload } from '../../facilitator/crypto/ecies.ts';
import { splitContribution } from '../../facilitator/prio/client.ts';
import { P } from '../../facilitator/prio/field.ts';
import { sampleData } from '../../facilitator/sample/sample-data.ts';
import { seededRandom } from '../support/prio.ts';
import { ingestorKey, KEYS } from './input.ts';

export const BINS = 20;
/** To encrypt takes as long as to decrypt; so the payloads come again and again, under fresh UUIDs. */
export const PAYLOADS = 1000;
const R_PIT = 998314904;

/** Writes an ingestion batch of that many packets for the facilitator; packet n has payload n modulo `PAYLOADS`. */
export async function storeBigBatch(
  storage: Storage,
  aggregationId: string,
  batch: BatchId,
  packetCount: number,
): Promise<void> {
  const random = seededRandom(`big batch ${batch.id}`);
  const recipient = Buffer.from(KEYS.packet.facilitator.point, 'base64');
  const payloads = Array.from({ length: Math.min(PAYLOADS, packetCount) }, (_, n) =>
    encryptPayload(recipient, splitContribution(sampleData(batch.id, n, BINS), random).second, random),
  );
  function* packets(): Generator<DataSharePacket> {
    for (let n = 0; n < packetCount; n++) {
      yield {
        uuid: formatUuidV4(random(16)),
        // A payload for each remainder.
        encrypted_payload: payloads[n % payloads.length]!,
        encryption_key_id: null,
        r_pit: R_PIT,
        version_configuration: null,
        device_nonce: null,
      };
    }
  }
  const content = {
    headerType: ingestionHeader,
    header: (packetFileDigest: Uint8Array) => ({
      batch_uuid: batch.id,
      name: aggregationId,
      bins: BINS,
      epsilon: 0.11,
      prime: P,
      number_of_servers: 2,
      hamming_weight: null,
      batch_start_time: batch.time.getTime(),
      batch_end_time: batch.time.getTime() + HOUR_MS,
      packet_file_digest: packetFileDigest,
    }),
    packetType: dataSharePacket,
    packets: packets(),
  };
  await writeBatch(storage, ingestionKeys(aggregationId, batch), content, ingestorKey());
}
