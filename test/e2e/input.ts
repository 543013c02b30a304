import { FileStorage } from '../../common/backends/storage/file.ts';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import type { BatchId } from '../../common/domain/batch-path.ts';
import { HOUR_MS, type Interval } from '../../common/domain/interval.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import type { DeploymentKeys } from '../../deploy/local/deployment-keys.ts';
import { SERVERS, type ServerName } from '../../deploy/local/places.ts';
import { planLoad, type LoadOptions, type PlannedAggregation } from '../../deploy/local/plan.ts';
import { readRecordedBatches, type RecordedBatches } from '../../deploy/local/recorded-batches.ts';
import { INGESTOR_KEY_IDENTIFIER } from '../../deploy/local/stages.ts';
import { whenWindowIsDue } from '../../deploy/local/windows.ts';
import { parseSigningKey } from '../../facilitator/crypto/keys.ts';
import { generateSample } from '../../facilitator/sample/generate.ts';
import { CASES, keys as recordedKeys } from '../support/cases.ts';
import { seededRandom } from '../support/prio.ts';
import type { Kind } from './ledger.ts';

export const LOAD: LoadOptions = { aggregations: 2, batches: 48, packets: 4800, bins: 20 };

/**
 * Aggregations whose ingestion batches and sums the reference implementation recorded: one where all is well, one with
 * a packet whose proof fails, one where packets come twice. test/vectors/README.md.
 */
const RECORDED = ['ordinary', 'invalid-proof', 'duplicates'] as const;

/** The keys of the recorded batches, which hence are everybody's. */
export const KEYS: DeploymentKeys = {
  ingestor: recordedKeys.ingestor,
  signing: { pha: recordedKeys.pha_sign, facilitator: recordedKeys.fac_sign },
  packet: {
    pha: { point: recordedKeys.pha_enc.x963pub, private: recordedKeys.pha_enc.x963priv },
    facilitator: { point: recordedKeys.fac_enc.x963pub, private: recordedKeys.fac_enc.x963priv },
  },
};

export interface Aggregation {
  readonly id: string;
  readonly batches: readonly BatchId[];
}

/** What the ingestion server has sent: the same bytes for every stage. */
export interface Input {
  readonly window: Interval;
  /** All of them. */
  readonly aggregations: readonly Aggregation[];
  /** Those of which we have the plain data. */
  readonly generated: readonly PlannedAggregation[];
  /** Those of which we have the reference's sums. */
  readonly recorded: readonly RecordedBatches[];
  readonly ingestion: Readonly<Record<ServerName, Storage>>;
}

export async function makeInput(): Promise<Input> {
  const recorded = await Promise.all(RECORDED.map((name) => readRecordedBatches(CASES, name)));
  // All were recorded with the same window, of three hours.
  const { window } = recorded[0]!;
  const random = seededRandom('e2e');
  // In the last hour of the window, which is due with it.
  const generated = planLoad(LOAD, whenWindowIsDue(window), random);
  const ingestion = { pha: new MemoryStorage('e2e-pha'), facilitator: new MemoryStorage('e2e-facilitator') };
  for (const { id, batches } of generated) {
    for (const { packets, ...batch } of batches) {
      await generateSample({
        aggregationId: id,
        batch,
        bins: LOAD.bins,
        packetCount: packets,
        epsilon: 0.11,
        batchStartTimeMs: batch.time.getTime(),
        batchEndTimeMs: batch.time.getTime() + HOUR_MS,
        pha: { output: ingestion.pha, encryptionKey: Buffer.from(KEYS.packet.pha.point, 'base64') },
        facilitator: {
          output: ingestion.facilitator,
          encryptionKey: Buffer.from(KEYS.packet.facilitator.point, 'base64'),
        },
        signingKey: ingestorKey(),
        random,
      });
    }
  }
  for (const { ingestion: directories } of recorded) {
    for (const server of SERVERS) await copyAll(new FileStorage(directories[server]), ingestion[server]);
  }
  const aggregations = [
    ...generated.map(({ id, batches }) => ({ id, batches })),
    ...recorded.map(({ aggregationId: id, batches }) => ({ id, batches })),
  ];
  return { window, aggregations, generated, recorded, ingestion };
}

export function ingestorKey(): ReturnType<typeof parseSigningKey> {
  return parseSigningKey(KEYS.ingestor.pkcs8, INGESTOR_KEY_IDENTIFIER, 'the key of the ingestor');
}

/** What the tasks of a kind are about. */
export function subjectsOf({ aggregations }: Input, kind: Kind): string[] {
  return kind === 'aggregate'
    ? aggregations.map(({ id }) => id)
    : aggregations.flatMap(({ batches }) => batches.map(({ id }) => id));
}

/** Copies all objects, the signatures after what they sign. */
export async function copyAll(from: Storage, to: Storage): Promise<void> {
  for await (const key of from.list()) await to.put(key, await readObject(from, key));
}
