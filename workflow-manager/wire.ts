import { openEnqueuer, ENQUEUER_KINDS } from '../common/backends/queue/open.ts';
import { dryRunEnqueuer } from '../common/backends/queue/dry-run.ts';
import type { EnqueuerSettings } from '../common/backends/queue/settings.ts';
import { dryRunStorage } from '../common/backends/storage/dry-run.ts';
import { openerOf, type StorageOpener } from '../common/backends/storage/opener.ts';
import type { StorageRequest } from '../common/backends/storage/settings.ts';
import type { Enqueuer } from '../common/ports/queue.ts';
import type { Storage } from '../common/ports/storage.ts';
import { naming, namingAsync } from '../common/runtime/naming.ts';
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

export function storageOption(describe: string, example: string): OptionSpec<StorageOpener> {
  return storageLocation(openerOf, { describe, example, required: true });
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
export async function connect(connections: Connections): Promise<RunPorts> {
  const { storages, queueKind, topics, queue, jobs, metrics, onRequest } = connections;
  const storage = (name: keyof typeof storages): Storage =>
    naming(`--${name}-input`, () => storages[name].open({ identity: storages[name].identity, onRequest }));
  const enqueuer = (name: keyof typeof topics): Promise<Enqueuer> =>
    namingAsync(`--${name}-tasks-topic`, () => openEnqueuer(queueKind, topics[name], queue));
  return {
    ingestion: storage('ingestor'),
    ownValidation: storage('own-validation'),
    peerValidation: storage('peer-validation'),
    intakeTasks: await enqueuer('intake'),
    aggregateTasks: await enqueuer('aggregate'),
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
