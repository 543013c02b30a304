import { formatBatchTime } from '../common/domain/batch-time.ts';
import type { DeploymentKeys } from '../deploy/local/deployment-keys.ts';
import { isFirst, otherServer, type ServerName } from '../deploy/local/places.ts';
import { AGGREGATION, type BenchBatch } from './batch-files.ts';
import type { ProgramRun } from './node-program.ts';

/** One server, as its command lines describe it. */
export interface BenchServer {
  readonly name: ServerName;
  readonly keys: DeploymentKeys;
  /** Of those that open packets; without it what the program does by itself. */
  readonly threads?: number | undefined;
}

/** Directories of one run. */
export interface RunPlaces {
  readonly ingestion: string;
  /** What this server writes for the peer, or reads of it. */
  readonly peerValidation: string;
  readonly ownValidation: string;
}

export const INSTANCE = 'bench';
const WINDOW = { begin: new Date('2026-01-01T00:00:00Z'), end: new Date('2026-01-02T00:00:00Z') };
/** Of every batch; within the window. */
export const BATCH_TIME = WINDOW.begin;

export function intakeRun(server: BenchServer, batch: BenchBatch, places: RunPlaces): ProgramRun {
  return runOf('intake-batch', server, {
    'aggregation-id': AGGREGATION,
    'batch-id': batch.id.id,
    date: formatBatchTime(batch.id.time),
    'ingestor-input': places.ingestion,
    'peer-output': places.peerValidation,
    'own-output': places.ownValidation,
  });
}

/** A worker that waits for a task and ends after a second. @param queue a directory */
export function idleWorkerRun(server: BenchServer, places: RunPlaces, queue: string): ProgramRun {
  return runOf('intake-batch-worker', server, {
    'task-queue-kind': 'local',
    'task-queue-name': queue,
    'worker-maximum-lifetime': '1',
    'metrics-scrape-port': '0',
    'ingestor-input': places.ingestion,
    'peer-output': places.peerValidation,
    'own-output': places.ownValidation,
  });
}

export function aggregateRun(
  server: BenchServer,
  batch: BenchBatch,
  places: RunPlaces & { readonly portal: string },
): ProgramRun {
  const peer = otherServer(server.name);
  return runOf('aggregate', server, {
    'aggregation-id': AGGREGATION,
    'batch-id': batch.id.id,
    'batch-time': formatBatchTime(batch.id.time),
    'aggregation-start': formatBatchTime(WINDOW.begin),
    'aggregation-end': formatBatchTime(WINDOW.end),
    'instance-name': INSTANCE,
    'ingestor-input': places.ingestion,
    'peer-input': places.peerValidation,
    'peer-public-key': server.keys.signing[peer].spki,
    'peer-public-key-identifier': peer,
    'own-input': places.ownValidation,
    'portal-output': places.portal,
  });
}

export const sumPartWindow = WINDOW;

function runOf(
  command: string,
  { name, keys, threads }: BenchServer,
  options: Readonly<Record<string, string>>,
): ProgramRun {
  const all = {
    'is-first': String(isFirst(name)),
    'ingestor-public-key': keys.ingestor.spki,
    'ingestor-public-key-identifier': 'ingestor',
    'batch-signing-private-key-identifier': name,
    ...options,
    ...(threads === undefined ? {} : { threads: String(threads) }),
  };
  return {
    program: 'facilitator',
    args: [command, ...Object.entries(all).map(([option, value]) => `--${option}=${value}`)],
    secrets: {
      FACILITATOR_BATCH_SIGNING_PRIVATE_KEY: keys.signing[name].pkcs8,
      FACILITATOR_PACKET_DECRYPTION_KEYS: keys.packet[name].private,
    },
  };
}
