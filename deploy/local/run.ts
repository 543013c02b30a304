import { join } from 'node:path';
import { openStorage } from '../../common/backends/storage/open.ts';
import { formatDuration } from '../../common/domain/duration.ts';
import type { Server } from './data-share-processor.ts';
import type { Deployment } from './deployment.ts';
import { placesIn, SERVERS, type Places } from './places.ts';
import { plainSum } from './plain-sums.ts';
import { runPublishers } from './publisher.ts';
import { runQueueStage } from './queue-stage.ts';
import { areQueuesEmpty, requireNoParkedTasks } from './queues.ts';
import type { RecordedBatches } from './recorded-batches.ts';
import { report, agrees, type AggregationResult } from './report.ts';
import { runStage, type StageResult, type StageSettings } from './stage.ts';
import {
  aggregateItems,
  generatedServers,
  INGESTOR_KEY_IDENTIFIER,
  intakeItems,
  sampleItems,
  type Work,
} from './stages.ts';
import { histogram, readSumPart, type PublishedSum } from './sum-parts.ts';
import { whenBatchesAreIn, whenWindowIsDue } from './windows.ts';
import { WorkerPool } from './workers.ts';

export interface RunSettings extends StageSettings {
  readonly directory: string;
  /** How long what a killed process held, a task or an aggregation, stays held. */
  readonly leaseMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WritableStream;
}

/**
 * The main job: both servers take in and aggregate the recorded batches, then the generated load, as processes.
 * @returns whether all sums are what they must be
 */
export async function runDeployment(
  recorded: RecordedBatches,
  deployment: Deployment,
  settings: RunSettings,
): Promise<boolean> {
  const stages: StageResult[] = [];
  const recordedAgree = await runRecorded(recorded, settings, stages);
  const results = await runGenerated(deployment, settings, stages);
  const equal = recordedAgree && results.every(agrees);
  settings.stdout.write(`\nrecorded batches: ${recordedAgree ? 'as the reference summed them' : 'DIFFERENT SUMS'}\n`);
  settings.stdout.write(report(results, stages, equal));
  return equal;
}

async function runRecorded(recorded: RecordedBatches, settings: RunSettings, stages: StageResult[]): Promise<boolean> {
  const places = placesIn(join(settings.directory, 'recorded'), recorded.ingestion);
  const servers = recordedServers(recorded, places);
  const aggregations = [{ id: recorded.aggregationId, window: recorded.window, batches: recorded.batches }];
  const work = { servers, aggregations };
  const process = { env: settings.env, logFile: join(settings.directory, 'recorded.log') };
  stages.push(await runStage('recorded batches: intake', intakeItems(work, process), settings));
  stages.push(await runStage('recorded batches: aggregate', aggregateItems(work, process), settings));
  const spki = { pha: recorded.keys.pha_sign.spki, facilitator: recorded.keys.fac_sign.spki };
  const parts = await readSumParts(work, recorded.aggregationId, spki);
  return SERVERS.every(
    (server, i) =>
      agrees({ histogram: parts[i]!.part.sum.map(Number), expected: recorded.sums[server] }) &&
      Number(parts[i]!.part.total_individual_clients) === recorded.packets,
  );
}

async function runGenerated(
  deployment: Deployment,
  settings: RunSettings,
  stages: StageResult[],
): Promise<AggregationResult[]> {
  const places = placesIn(settings.directory);
  const work = { servers: generatedServers(deployment, places), aggregations: deployment.aggregations };
  const logFile = (name: string): string => join(settings.directory, `${name}.log`);
  const samples = sampleItems(deployment, places, { env: settings.env, logFile: logFile('ingestor') });
  stages.push(await runStage('load: samples', samples, settings));
  await runThroughQueues(work, places, settings, stages, logFile);
  const spki = { pha: deployment.keys.signing.pha.spki, facilitator: deployment.keys.signing.facilitator.spki };
  const results: AggregationResult[] = [];
  for (const aggregation of deployment.aggregations) {
    const [pha, facilitator] = await readSumParts(work, aggregation.id, spki);
    results.push({
      aggregationId: aggregation.id,
      histogram: histogram(pha, facilitator),
      expected: plainSum(aggregation, deployment.load.bins),
      batches: pha.part.batch_uuids.length,
      packetsIn: aggregation.batches.reduce((sum, { packets }) => sum + packets, 0),
      packetsSummed: Number(pha.part.total_individual_clients),
    });
  }
  return results;
}

/** Publishers and workers do the load: first all intake, then, as of a later time, the windows. */
async function runThroughQueues(
  work: Work,
  places: Places,
  settings: RunSettings,
  stages: StageResult[],
  logFile: (name: string) => string,
): Promise<void> {
  const { env, leaseMs } = settings;
  // All aggregations have the same window.
  const [{ window }] = work.aggregations as [Work['aggregations'][number]];
  const intake = intakeItems(work, { env, logFile: logFile('workers') });
  const aggregates = aggregateItems(work, { env, logFile: logFile('workers') });
  const done = await Promise.all([...intake, ...aggregates].map((item) => item.isDone()));
  const broken = new AbortController();
  const signal = AbortSignal.any([settings.signal, broken.signal]);
  const publishAsOf = (asOf: Date) => (stop: AbortSignal) =>
    runPublishers(work.servers, asOf, leaseMs, { env, logFile: logFile('publisher'), signal: stop });
  const check = (): Promise<void> => requireNoParkedTasks(places);
  const isIdle = (): Promise<boolean> => areQueuesEmpty(places);
  // Where nothing is left to do, nobody is called to work.
  await using _workers = new WorkerPool(done.every(Boolean) ? [] : work.servers, {
    env,
    logFile: logFile('workers'),
    visibilityTimeout: formatDuration(leaseMs),
    onFailure: (error) => broken.abort(error),
  });
  for (const [name, items, asOf] of [
    ['load: intake', intake, whenBatchesAreIn(window)],
    ['load: aggregate', aggregates, whenWindowIsDue(window)],
  ] as const) {
    const stage = { name, items, publish: publishAsOf(asOf), check, isIdle, patienceMs: 2 * leaseMs + 2000 };
    stages.push(await runQueueStage(stage, { ...settings, signal }));
  }
}

/** The sum parts of both servers, the PHA's first. */
async function readSumParts(
  { servers, aggregations }: Work,
  aggregationId: string,
  spki: Readonly<Record<Server['name'], string>>,
): Promise<[PublishedSum, PublishedSum]> {
  const parts = await Promise.all(
    servers.map(({ name, instanceName, places }) => {
      const { window } = aggregations.find(({ id }) => id === aggregationId)!;
      return readSumPart(openStorage(places.portal), name, { instanceName, aggregationId, window }, spki[name]);
    }),
  );
  // There are two servers, in the order of SERVERS.
  return parts as [PublishedSum, PublishedSum];
}

function recordedServers({ instanceName, keys }: RecordedBatches, places: Places): Server[] {
  const signing = { pha: keys.pha_sign, facilitator: keys.fac_sign };
  const packet = { pha: keys.pha_enc, facilitator: keys.fac_enc };
  return SERVERS.map((name) => ({
    name,
    instanceName,
    places,
    keys: {
      signingPkcs8: signing[name].pkcs8,
      packetDecryptionKeys: packet[name].x963priv,
      ingestorPublicKey: keys.ingestor.spki,
      peerPublicKey: signing[name === 'pha' ? 'facilitator' : 'pha'].spki,
    },
    ingestorKeyIdentifier: INGESTOR_KEY_IDENTIFIER,
  }));
}
