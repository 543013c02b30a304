import { worker, type AlertCase } from './alert-case.ts';

const PUBLISHER = { locality: 'CASE', ingestor: 'i' };
const OF_AGGREGATION = { ...PUBLISHER, aggregation_id: 'a' };

const publisher = (name: string): string =>
  `workflow_manager_${name}{job="workflow-manager",locality="CASE",ingestor="i"}`;
const ofAggregation = (name: string): string =>
  `workflow_manager_${name}{job="workflow-manager",locality="CASE",ingestor="i",aggregation_id="a"}`;

/** Of alerts on what the publisher has pushed. */
export const PUBLISHER_CASES: readonly AlertCase[] = [
  {
    alert: 'WorkflowManagerHeartbeat',
    at: '60m',
    labels: PUBLISHER,
    cases: {
      firing: { [publisher('last_success_seconds')]: '60x90' },
      'firing, though the gateway has lost it': { [publisher('last_success_seconds')]: '60x30 stale' },
      quiet: { [publisher('last_success_seconds')]: '60x10 660x10 1260x10 1860x10 2460x10 3060x30' },
      'holes between runs that succeed': { [publisher('last_success_seconds')]: '60x10 660x10 _x20 2460x5 _x30' },
      'zero, as no run has succeeded': { [publisher('last_success_seconds')]: '0x90' },
    },
    fires: {
      firing: 'The last success of CASE, i that is known of was 59m 0s ago.',
      'firing, though the gateway has lost it': 'The last success of CASE, i that is known of was 59m 0s ago.',
    },
  },
  {
    alert: 'WorkflowManagerNeverSucceeded',
    at: '90m',
    labels: PUBLISHER,
    cases: {
      firing: { [publisher('last_failure_seconds')]: '600+60x100' },
      'firing, with a success of zero': {
        [publisher('last_failure_seconds')]: '600+60x100',
        [publisher('last_success_seconds')]: '0x100',
      },
      'quiet, as one has succeeded': {
        [publisher('last_failure_seconds')]: '600+60x100',
        [publisher('last_success_seconds')]: '60x10 stale',
      },
      'holes after failures': { [publisher('last_failure_seconds')]: '600+60x60 _x40' },
      zero: { [publisher('last_failure_seconds')]: '0x100' },
    },
    fires: {
      firing: 'A run of CASE, i failed -10m 0s ago, and no success is known of.',
      'firing, with a success of zero': 'A run of CASE, i failed -10m 0s ago, and no success is known of.',
      'holes after failures': 'A run of CASE, i failed 20m 0s ago, and no success is known of.',
    },
  },
  {
    alert: 'EnqueueFailures',
    at: '60m',
    labels: PUBLISHER,
    cases: {
      firing: {
        [ofAggregation('intake_tasks_failed')]: '0x30 3x40',
        [ofAggregation('aggregation_tasks_failed')]: '0x30 1x40',
      },
      'quiet, as the next run has repaired it': {
        [ofAggregation('intake_tasks_failed')]: '0x45 3x9 0x40',
        [ofAggregation('aggregation_tasks_failed')]: '0x90',
      },
      'holes in what fails': {
        [ofAggregation('intake_tasks_failed')]: '0x30 3x5 _ 3x5 _ _ 3x40',
        [ofAggregation('aggregation_tasks_failed')]: '0x36 _ 0x5 _ _ 0x40',
      },
      'holes, nothing but': {
        [ofAggregation('intake_tasks_failed')]: '3x10 stale',
        [ofAggregation('aggregation_tasks_failed')]: '0x10 stale',
      },
      zero: {
        [ofAggregation('intake_tasks_failed')]: '0x90',
        [ofAggregation('aggregation_tasks_failed')]: '0x90',
      },
    },
    fires: {
      firing: '4 tasks of CASE, i could not be published, or not marked, in the last run, nor in the one before.',
      'holes in what fails':
        '3 tasks of CASE, i could not be published, or not marked, in the last run, nor in the one before.',
    },
  },
  {
    alert: 'OldestUnaggregatedBatch',
    at: '60m',
    labels: OF_AGGREGATION,
    cases: {
      firing: { [ofAggregation('oldest_unaggregated_batch_age_seconds')]: '20000x20 25200x50' },
      quiet: { [ofAggregation('oldest_unaggregated_batch_age_seconds')]: '15000x70' },
      'holes in what is old': { [ofAggregation('oldest_unaggregated_batch_age_seconds')]: '25200x30 _ 25200x20 _ _ _' },
      'holes, nothing but': { [ofAggregation('oldest_unaggregated_batch_age_seconds')]: '25200x20 stale' },
      zero: { [ofAggregation('oldest_unaggregated_batch_age_seconds')]: '0x70' },
    },
    fires: {
      firing: 'The oldest such batch of a in CASE, i is 7h 0m 0s old.',
      'holes in what is old': 'The oldest such batch of a in CASE, i is 7h 0m 0s old.',
    },
  },
  {
    alert: 'MissingPeerValidations',
    at: '60m',
    labels: OF_AGGREGATION,
    cases: {
      firing: { [ofAggregation('missing_peer_validations')]: '0x20 5x50' },
      'quiet, as they came after all': { [ofAggregation('missing_peer_validations')]: '0x20 5x10 0x50' },
      'holes in what is missing': { [ofAggregation('missing_peer_validations')]: '5x30 _ 5x20 _ _ _' },
      'holes, nothing but': { [ofAggregation('missing_peer_validations')]: '5x20 stale' },
      zero: { [ofAggregation('missing_peer_validations')]: '0x70' },
    },
    fires: {
      firing: '5 batches of a in CASE, i lack the peer’s validation and will be in no sum.',
      'holes in what is missing': '5 batches of a in CASE, i lack the peer’s validation and will be in no sum.',
    },
  },
  {
    alert: 'BatchesInNoSum',
    at: '60m',
    labels: OF_AGGREGATION,
    cases: {
      firing: {
        [ofAggregation('late_batches')]: '0x20 1x50',
        [ofAggregation('missed_intake_batches')]: '0x20 2x50',
        [ofAggregation('missing_own_validations')]: '0x20 3x50',
      },
      quiet: {
        [ofAggregation('late_batches')]: '0x20 1x10 0x50',
        [ofAggregation('missed_intake_batches')]: '0x70',
        [ofAggregation('missing_own_validations')]: '0x70',
      },
      'holes in what is late': {
        [ofAggregation('late_batches')]: '1x30 _ 1x20 _ _ _',
        [ofAggregation('missed_intake_batches')]: '0x30 _ 0x20 _ _ _',
        [ofAggregation('missing_own_validations')]: '0x30 _ 0x20 _ _ _',
      },
      zero: {
        [ofAggregation('late_batches')]: '0x70',
        [ofAggregation('missed_intake_batches')]: '0x70',
        [ofAggregation('missing_own_validations')]: '0x70',
      },
    },
    fires: {
      firing: '6 batches of a in CASE, i came late, were never taken in, or lack our own validation.',
      'holes in what is late': '1 batches of a in CASE, i came late, were never taken in, or lack our own validation.',
    },
  },
  {
    alert: 'WindowWithoutSumPart',
    interval: '5m',
    at: '10h',
    labels: { ...OF_AGGREGATION, app_kubernetes_io_instance: 'CASE-i' },
    cases: {
      firing: {
        [ofAggregation('latest_window_end_timestamp_seconds')]: '10800x130',
        [worker('aggregate_window_end_timestamp_seconds', 'aggregation_id="a"')]: '3600x130',
      },
      'firing, as no window was ever summed': { [ofAggregation('latest_window_end_timestamp_seconds')]: '10800x130' },
      'quiet, as the worker is gone but has done it': {
        [ofAggregation('latest_window_end_timestamp_seconds')]: '10800x130',
        [worker('aggregate_window_end_timestamp_seconds', 'aggregation_id="a"')]: '_x20 10800x2 stale',
      },
      'quiet, as it came late': {
        [ofAggregation('latest_window_end_timestamp_seconds')]: '10800x130',
        [worker('aggregate_window_end_timestamp_seconds', 'aggregation_id="a"')]: '_x100 10800x30',
      },
      'holes in the publisher’s': { [ofAggregation('latest_window_end_timestamp_seconds')]: '10800x90 _ _ 10800x27' },
      'zero, as no window has a task': { [ofAggregation('latest_window_end_timestamp_seconds')]: '0x130' },
    },
    fires: {
      firing: 'The window of a in CASE-i that ended at 1970-01-01 03:00:00 +0000 UTC has no sum part.',
      'firing, as no window was ever summed':
        'The window of a in CASE-i that ended at 1970-01-01 03:00:00 +0000 UTC has no sum part.',
      'holes in the publisher’s':
        'The window of a in CASE-i that ended at 1970-01-01 03:00:00 +0000 UTC has no sum part.',
    },
  },
];
