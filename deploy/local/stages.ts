import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { ingestionKeys, sumPartKeys, validationKeys, type BatchId } from '../../common/domain/batch-path.ts';
import { HOUR_MS, type Interval } from '../../common/domain/interval.ts';
import { openStorage } from '../../common/backends/storage/open.ts';
import { hasObject } from '../../common/runtime/read-object.ts';
import { aggregateInvocation, intakeInvocation, type Server } from './data-share-processor.ts';
import type { Deployment } from './deployment.ts';
import { runToSuccess, type ProcessSettings } from './process.ts';
import { isFirst, SERVERS, type Places } from './places.ts';
import type { PlannedBatch } from './plan.ts';
import type { StageItem } from './stage.ts';

/** The servers and what they are to work on. */
export interface Work {
  readonly servers: readonly Server[];
  readonly aggregations: readonly {
    readonly id: string;
    readonly window: Interval;
    readonly batches: readonly BatchId[];
  }[];
}

export const INGESTOR_KEY_IDENTIFIER = 'ingestor-key-1';

type Settings = Omit<ProcessSettings, 'signal'>;

/** One process a batch that plays the ingestion server. */
export function sampleItems(deployment: Deployment, places: Places, settings: Settings): StageItem[] {
  const pha = openStorage(places.buckets.pha.ingestion);
  return deployment.aggregations.flatMap(({ id, batches }) =>
    batches.map((batch) => ({
      // The PHA's copy is written after the facilitator's.
      isDone: () => hasObject(pha, ingestionKeys(id, batch).signature),
      run: (signal) => generate(deployment, places, id, batch, { ...settings, signal }),
    })),
  );
}

async function generate(
  { keys, load }: Deployment,
  places: Places,
  aggregationId: string,
  batch: PlannedBatch,
  settings: ProcessSettings,
): Promise<void> {
  const args = [
    'generate-ingestion-sample',
    ...['--aggregation-id', aggregationId, '--batch-id', batch.id, '--date', formatBatchTime(batch.time)],
    ...['--packet-count', String(batch.packets), '--dimension', String(load.bins), '--epsilon', '0.11'],
    ...['--batch-start-time', String(batch.time.getTime()), '--batch-end-time', String(batch.time.getTime() + HOUR_MS)],
    ...['--pha-ecies-public-key', keys.packet.pha.point],
    ...['--facilitator-ecies-public-key', keys.packet.facilitator.point],
    ...['--peer-output', places.buckets.pha.ingestion, '--facilitator-output', places.buckets.facilitator.ingestion],
    ...['--batch-signing-private-key-identifier', INGESTOR_KEY_IDENTIFIER],
  ];
  const secrets = { FACILITATOR_BATCH_SIGNING_PRIVATE_KEY: keys.ingestor.pkcs8 };
  await runToSuccess({ program: 'facilitator', args, secrets }, settings);
}

/** One `intake-batch` process a batch and server. */
export function intakeItems({ servers, aggregations }: Work, settings: Settings): StageItem[] {
  return servers.flatMap((server) => {
    const own = openStorage(server.places.buckets[server.name].ownValidation);
    return aggregations.flatMap(({ id, batches }) =>
      batches.map((batch) => ({
        // Our own signature is the last thing that intake writes.
        isDone: () => hasObject(own, validationKeys(id, batch, isFirst(server.name) ? 0 : 1).signature),
        run: (signal: AbortSignal) => runToSuccess(intakeInvocation(server, id, batch), { ...settings, signal }),
      })),
    );
  });
}

/** One `aggregate` process a window and server. */
export function aggregateItems({ servers, aggregations }: Work, settings: Settings): StageItem[] {
  return servers.flatMap((server) => {
    const portal = openStorage(server.places.portal);
    return aggregations.map(({ id, window, batches }) => ({
      isDone: () =>
        hasObject(portal, sumPartKeys(server.instanceName, id, window, isFirst(server.name) ? 0 : 1).signature),
      run: (signal: AbortSignal) =>
        runToSuccess(aggregateInvocation(server, { aggregationId: id, window, batches }), { ...settings, signal }),
    }));
  });
}

/** Both servers of a generated deployment. */
export function generatedServers({ keys }: Deployment, places: Places): Server[] {
  return SERVERS.map((name) => ({
    name,
    instanceName: 'local-sample',
    places,
    keys: {
      signingPkcs8: keys.signing[name].pkcs8,
      packetDecryptionKeys: keys.packet[name].private,
      ingestorPublicKey: keys.ingestor.spki,
      peerPublicKey: keys.signing[name === 'pha' ? 'facilitator' : 'pha'].spki,
    },
    ingestorKeyIdentifier: INGESTOR_KEY_IDENTIFIER,
  }));
}
