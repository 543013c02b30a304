import { createHash } from 'node:crypto';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import type { Interval } from '../../common/domain/interval.ts';
import { HOUR_MS } from '../../common/domain/interval.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { generateKeys, type DeploymentKeys } from '../../deploy/local/deployment-keys.ts';
import type { ServerName } from '../../deploy/local/places.ts';
import { planLoad, type LoadOptions, type PlannedAggregation } from '../../deploy/local/plan.ts';
import { INGESTOR_KEY_IDENTIFIER } from '../../deploy/local/stages.ts';
import { parseSigningKey } from '../../facilitator/crypto/keys.ts';
import { generateSample } from '../../facilitator/sample/generate.ts';
import { seededRandom } from '../support/prio.ts';

export const LOAD: LoadOptions = { aggregations: 2, batches: 48, packets: 4800, bins: 20 };

/** When the window is due: the load lies in the hour that ended an hour before. */
const DUE = new Date('2024-11-20T14:00:00Z');

/** What the ingestion server has sent: the same bytes for every stage. */
export interface Input {
  readonly keys: DeploymentKeys;
  readonly window: Interval;
  readonly aggregations: readonly PlannedAggregation[];
  readonly ingestion: Readonly<Record<ServerName, Storage>>;
}

export async function makeInput(): Promise<Input> {
  const keys = generateKeys();
  const random = seededRandom('e2e');
  const aggregations = planLoad(LOAD, DUE, random);
  const ingestion = { pha: new MemoryStorage('e2e-pha'), facilitator: new MemoryStorage('e2e-facilitator') };
  const signingKey = parseSigningKey(keys.ingestor.pkcs8, INGESTOR_KEY_IDENTIFIER, 'the key of the ingestor');
  for (const { id, batches } of aggregations) {
    for (const { packets, ...batch } of batches) {
      await generateSample({
        aggregationId: id,
        batch,
        bins: LOAD.bins,
        packetCount: packets,
        epsilon: 0.11,
        batchStartTimeMs: batch.time.getTime(),
        batchEndTimeMs: batch.time.getTime() + HOUR_MS,
        pha: { output: ingestion.pha, encryptionKey: Buffer.from(keys.packet.pha.point, 'base64') },
        facilitator: {
          output: ingestion.facilitator,
          encryptionKey: Buffer.from(keys.packet.facilitator.point, 'base64'),
        },
        signingKey,
        random,
      });
    }
  }
  // A plan has as many aggregations as its load.
  return { keys, window: aggregations[0]!.window, aggregations, ingestion };
}

/** Copies all objects, the signatures after what they sign. */
export async function copyAll(from: Storage, to: Storage): Promise<void> {
  for await (const key of from.list()) await to.put(key, await readObject(from, key));
}

export const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
