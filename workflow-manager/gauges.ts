import type { AggregationSummary } from './aggregation.ts';
import type { Stage } from './aggregation-context.ts';
import type { Gauge } from './metrics-gateway.ts';
import type { RunOutcome } from './run-outcome.ts';

type OfAggregation = (summary: AggregationSummary, now: Date) => number;

/** Names that the reference has keep its meaning, as dashboards and alerts go by them. docs/publisher.md, "Metrics". */
const OF_AGGREGATIONS: readonly (readonly [name: string, help: string, value: OfAggregation])[] = [
  ['ingestions_found', 'Ingestion batches in the intake interval that are complete', (s) => s.intake.found.ready],
  [
    'incomplete_ingestions_found',
    'Ingestion batches in the intake interval that lack objects',
    (s) => s.intake.found.incomplete,
  ],
  ['aggregate_ingestions_found', 'Ingestion batches in the windows that are complete', (s) => s.ingestion.ready],
  [
    'aggregate_incomplete_ingestions_found',
    'Ingestion batches in the windows that lack objects',
    (s) => s.ingestion.incomplete,
  ],
  ['peer_validations_found', 'Validation batches of the peer in the windows', (s) => s.peerValidations.ready],
  [
    'incomplete_peer_validations_found',
    'Validation batches of the peer in the windows that lack their signature',
    (s) => s.peerValidations.incomplete,
  ],
  ['intake_tasks_scheduled', 'Intake tasks published in this run', (s) => s.intake.published],
  [
    'intake_tasks_failed',
    'Intake tasks of this run that could not be published, or not marked as published',
    (s) => s.intake.failed,
  ],
  [
    'intake_tasks_skipped_due_to_marker',
    'Ingestion batches whose intake task was published before',
    (s) => s.intake.skippedByMarker,
  ],
  [
    'aggregation_tasks_scheduled',
    'Aggregate tasks published in this run',
    (s) => s.aggregate.published + s.republished.published,
  ],
  [
    'aggregation_tasks_failed',
    'Aggregate tasks of this run that could not be published, or not marked as published',
    (s) => s.aggregate.failed + s.republished.failed,
  ],
  ['aggregation_tasks_skipped_due_to_marker', 'Windows that were decided before', (s) => s.aggregate.skippedByMarker],
  ['number_of_batches_in_aggregation', 'Batches in the aggregate tasks of this run', (s) => s.aggregate.batchesInTask],
  ['late_batches', 'Batches that became ready after their window was claimed; in no sum', (s) => s.late],
  [
    'missed_intake_batches',
    'Ingestion batches without intake task that are too old for one; in no sum',
    (s) => s.intake.missed.length,
  ],
  [
    'missing_peer_validations',
    'Ingestion batches in the windows that the peer has not validated',
    (s) => s.withoutPeerValidation,
  ],
  [
    'missing_own_validations',
    'Batches in the windows that the peer has validated and we have not',
    (s) => s.withoutOwnValidation,
  ],
  [
    'latest_window_end_timestamp_seconds',
    'End of the latest window whose task was published before this run, in seconds since 1970, 0 if there is none',
    ({ latestWindowEnd }) => (latestWindowEnd?.getTime() ?? 0) / 1000,
  ],
  ['windows_caught_up', 'Windows published in this run that earlier runs missed', (s) => s.aggregate.caughtUp],
  [
    'oldest_unaggregated_batch_age_seconds',
    'Age of the oldest complete ingestion batch that is in no aggregate task, 0 if there is none',
    ({ oldestUnaggregated }, now) =>
      oldestUnaggregated ? Math.max(0, now.getTime() - oldestUnaggregated.getTime()) / 1000 : 0,
  ],
];

const PREFIX = 'workflow_manager_';

const aggregation_id = 'name of the aggregation';
const stage: readonly Stage[] = ['prepare', 'aggregation', 'claims', 'intake', 'aggregate', 'reap'];
const operation = ['list', 'get', 'put', 'delete'];

/** Those of a run as a whole. */
const OF_RUNS = {
  failures: { help: 'Failures in this run, by stage', labels: { aggregation_id, stage } },
  storage_requests: { help: 'Requests to object stores in this run, by operation', labels: { operation } },
  jobs_reaped: { help: 'Kubernetes Jobs deleted in this run', labels: {} },
  last_success_seconds: { help: 'When a run last ended without failure, in seconds since 1970', labels: {} },
  runtime_seconds: { help: 'How long the last run without failure took', labels: {} },
  last_failure_seconds: { help: 'When a run last ended with a failure, in seconds since 1970', labels: {} },
} as const;

/** What is to be known of a gauge besides its values. */
export interface GaugeSpec {
  readonly name: string;
  readonly help: string;
  /** Of each label all values that there are, or a few words on what they are. */
  readonly labels: Readonly<Record<string, readonly string[] | string>>;
}

/** All that may be pushed. docs/metrics.md is made from it: after a change, `npx vitest run test/docs -u`. */
export const GAUGES: readonly GaugeSpec[] = [
  ...OF_AGGREGATIONS.map(([name, help]) => ({ name: PREFIX + name, help, labels: { aggregation_id } })),
  ...Object.entries(OF_RUNS).map(([name, { help, labels }]) => ({ name: PREFIX + name, help, labels })),
];

function ofRun(name: keyof typeof OF_RUNS, samples: Gauge['samples']): Gauge {
  return { name: PREFIX + name, help: OF_RUNS[name].help, samples };
}

/**
 * The metrics of a run. What says when it ended tells success and failure apart: pushed over those of an earlier run,
 * a failure leaves the time of the last success in place.
 */
export function gaugesOf(outcome: RunOutcome): readonly Gauge[] {
  const { published, failures, requests, reaped, now, startedAt, endedAt } = outcome;
  const isSuccess = failures.length === 0;
  const byAggregation = OF_AGGREGATIONS.map(([name, help, value]) => ({
    name: PREFIX + name,
    help,
    samples: [...published].map(([id, summary]) => ({ labels: { aggregation_id: id }, value: value(summary, now) })),
  }));
  const counts = new Map<string, Gauge['samples'][number]>();
  for (const { aggregationId, stage } of failures) {
    const labels = { aggregation_id: aggregationId ?? '', stage };
    const key = JSON.stringify(labels);
    counts.set(key, { labels, value: (counts.get(key)?.value ?? 0) + 1 });
  }
  const single = (name: keyof typeof OF_RUNS, value: number): Gauge => ofRun(name, [{ labels: {}, value }]);
  const endedAtSeconds = endedAt.getTime() / 1000;
  return [
    ...byAggregation,
    ofRun('failures', [...counts.values()]),
    ofRun(
      'storage_requests',
      [...requests].map(([operation, value]) => ({ labels: { operation }, value })),
    ),
    ...(reaped === undefined ? [] : [single('jobs_reaped', reaped)]),
    ...(isSuccess
      ? [
          single('last_success_seconds', endedAtSeconds),
          single('runtime_seconds', (endedAt.getTime() - startedAt.getTime()) / 1000),
        ]
      : [single('last_failure_seconds', endedAtSeconds)]),
  ];
}
