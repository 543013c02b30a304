import { openEnqueuer, ENQUEUER_KINDS } from '../common/backends/queue/open.ts';
import { dryRunEnqueuer } from '../common/backends/queue/dry-run.ts';
import type { EnqueuerSettings } from '../common/backends/queue/settings.ts';
import { dryRunStorage } from '../common/backends/storage/dry-run.ts';
import { openStorage } from '../common/backends/storage/open.ts';
import type { StorageRequest, StorageSettings } from '../common/backends/storage/settings.ts';
import { ConfigurationInvalid, PermissionDenied, UsageError } from '../common/errors.ts';
import type { Enqueuer } from '../common/ports/queue.ts';
import type { Storage } from '../common/ports/storage.ts';
import type { OptionSpec } from '../common/runtime/option-spec.ts';
import { choice, storageLocation } from '../common/runtime/option-values.ts';
import { openKubernetesJobs, type KubernetesJobsSettings } from './backends/kubernetes-jobs.ts';
import { openPushgateway } from './backends/pushgateway.ts';
import { dryRunJobs } from './dry-run-jobs.ts';
import { dryRunMetrics } from './dry-run-metrics.ts';
import type { Jobs } from './jobs.ts';
import type { MetricsGateway } from './metrics-gateway.ts';
import type { RunPorts } from './run.ts';

/* The one place where the publisher meets backends. */

/** A storage to be opened once the other options are known. */
export type StorageOpener = (settings: StorageSettings) => Storage;

export function storageOption(describe: string, example: string): OptionSpec<StorageOpener> {
  return storageLocation(storageOpener, { describe, example, required: true });
}

function storageOpener(location: string): StorageOpener {
  try {
    openStorage(location);
  } catch (err) {
    // The location is well-formed; what is wrong with it is told, and counts, when it is opened.
    if (!(err instanceof ConfigurationInvalid)) throw err;
  }
  return (settings) => openStorage(location, settings);
}

export const queueKindOption = choice(ENQUEUER_KINDS, { describe: 'where tasks are published', required: true });

export interface Connections {
  readonly storages: Readonly<
    Record<'ingestor' | 'own-validation' | 'peer-validation', { open: StorageOpener; identity: string | undefined }>
  >;
  readonly queueKind: (typeof ENQUEUER_KINDS)[number];
  readonly topics: Readonly<Record<'intake' | 'aggregate', string>>;
  readonly queue: EnqueuerSettings;
  /** `undefined` where nothing is to be reaped. */
  readonly jobs: KubernetesJobsSettings | undefined;
  readonly metrics: Parameters<typeof openPushgateway>[0] | undefined;
  readonly onRequest: (request: StorageRequest) => void;
}

/**
 * The ports of a run. Nothing is read, written or asked yet.
 * @throws UsageError or ConfigurationInvalid that names the option
 */
export function connect({ storages, queueKind, topics, queue, jobs, metrics, onRequest }: Connections): RunPorts {
  const storage = (name: keyof typeof storages): Storage =>
    naming(`--${name}-input`, () => storages[name].open({ identity: storages[name].identity, onRequest }));
  const enqueuer = (name: keyof typeof topics): Enqueuer =>
    naming(`--${name}-tasks-topic`, () => openEnqueuer(queueKind, topics[name], queue));
  return {
    ingestion: storage('ingestor'),
    ownValidation: storage('own-validation'),
    peerValidation: storage('peer-validation'),
    intakeTasks: enqueuer('intake'),
    aggregateTasks: enqueuer('aggregate'),
    jobs: jobs && naming('--reap-label-selector', (): Jobs => openKubernetesJobs(jobs)),
    metrics: metrics && naming('--push-gateway', (): MetricsGateway => openPushgateway(metrics)),
  };
}

/** The same ports without any effect: what a run would do is printed, and seen by that run alone. */
export function withoutEffects(ports: RunPorts, print: (line: string) => void): RunPorts {
  return {
    ingestion: dryRunStorage(ports.ingestion, print),
    ownValidation: dryRunStorage(ports.ownValidation, print),
    peerValidation: dryRunStorage(ports.peerValidation, print),
    intakeTasks: dryRunEnqueuer(ports.intakeTasks, print),
    aggregateTasks: dryRunEnqueuer(ports.aggregateTasks, print),
    jobs: ports.jobs && dryRunJobs(ports.jobs, print),
    metrics: ports.metrics && dryRunMetrics(ports.metrics, print),
  };
}

/** Does what can fail by an option, whose name the error then begins with. */
export function naming<T>(option: string, work: () => T): T {
  try {
    return work();
  } catch (err) {
    throw named(option, err);
  }
}

/** As `naming`, for work that takes time. */
export async function namingAsync<T>(option: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (err) {
    throw named(option, err);
  }
}

function named(option: string, err: unknown): unknown {
  for (const Failure of [UsageError, ConfigurationInvalid, PermissionDenied]) {
    if (err instanceof Failure) return new Failure(`${option}: ${err.message}`, { cause: err.cause });
  }
  return err;
}
