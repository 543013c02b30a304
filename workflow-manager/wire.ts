import { openEnqueuer, ENQUEUER_KINDS } from '../common/backends/queue/open.ts';
import { dryRunEnqueuer } from '../common/backends/queue/dry-run.ts';
import { dryRunStorage } from '../common/backends/storage/dry-run.ts';
import { openStorage } from '../common/backends/storage/open.ts';
import { UsageError } from '../common/errors.ts';
import type { Enqueuer } from '../common/ports/queue.ts';
import type { Storage } from '../common/ports/storage.ts';
import type { OptionSpec } from '../common/runtime/option-spec.ts';
import { choice, storageLocation } from '../common/runtime/option-values.ts';
import type { PublisherPorts } from './aggregation-context.ts';

/* The one place where the publisher meets backends. */

export function storageOption(describe: string, example: string): OptionSpec<Storage> {
  return storageLocation(openStorage, { describe, example, required: true });
}

export const queueKindOption = choice(ENQUEUER_KINDS, { describe: 'where tasks are published', required: true });

export interface QueueSettings {
  readonly kind: (typeof ENQUEUER_KINDS)[number];
  readonly intakeTasksTopic: string;
  readonly aggregateTasksTopic: string;
  readonly clock: () => Date;
}

/**
 * The ports of a run over the storages and topics given.
 * @throws UsageError for a topic that the kind cannot have
 */
export function connect(
  storages: Pick<PublisherPorts, 'ingestion' | 'ownValidation' | 'peerValidation'>,
  { kind, intakeTasksTopic, aggregateTasksTopic, clock }: QueueSettings,
): PublisherPorts {
  const open = (option: string, topic: string): Enqueuer => {
    try {
      return openEnqueuer(kind, topic, { clock });
    } catch (err) {
      throw err instanceof UsageError ? new UsageError(`--${option}: ${err.message}`, { cause: err.cause }) : err;
    }
  };
  return {
    ...storages,
    intakeTasks: open('intake-tasks-topic', intakeTasksTopic),
    aggregateTasks: open('aggregate-tasks-topic', aggregateTasksTopic),
  };
}

/** The same ports without any effect: what a run would do is printed, and seen by that run alone. */
export function withoutEffects(ports: PublisherPorts, print: (line: string) => void): PublisherPorts {
  return {
    ingestion: dryRunStorage(ports.ingestion, print),
    ownValidation: dryRunStorage(ports.ownValidation, print),
    peerValidation: dryRunStorage(ports.peerValidation, print),
    intakeTasks: dryRunEnqueuer(ports.intakeTasks, print),
    aggregateTasks: dryRunEnqueuer(ports.aggregateTasks, print),
  };
}
