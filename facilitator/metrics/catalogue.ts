import type { MetricSpec } from './metric-spec.ts';

const aggregation_id = 'name of the aggregation';
const status = ['success', 'error', 'rejected'] as const;
const reason = ['header', 'packet_file'] as const;
const task = 'kind of task';
const key_id =
  'identifier of a key that we were given; of a packet key, 16 hexadecimal digits of SHA-256(public point)';
/** As `Settled` of the worker. */
const outcome = ['ack', 'nack', 'reject', 'lost', 'unsettled'] as const;
const service = 'host of the cloud’s API, else the scheme of the location';

/** Milliseconds; the reference's. */
const API_LATENCY_BUCKETS = [100, 250, 500, 1000, 2500, 5000, 7500, 10_000, 15_000, 30_000, 45_000] as const;
/** Seconds; from an empty task to beyond the usual time limit of three hours. */
const DURATION_BUCKETS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 10_800, 21_600] as const;
const ATTEMPT_BUCKETS = [1, 2, 3, 5, 10, 20, 50, 100] as const;

/**
 * All metrics of the facilitator. docs/metrics.md is made from it: after a change, `npx vitest run test/docs -u`.
 *
 * Dashboards and alerts go by the reference's names, so these are kept where they break Prometheus' rules for names.
 */
export const METRICS = {
  facilitator_intake_tasks_started: {
    kind: 'counter',
    help: 'Intake tasks begun, repeated ones again',
    labels: { aggregation_id },
  },
  facilitator_intake_tasks_finished: {
    kind: 'counter',
    help: 'Intake tasks ended; error: may succeed when repeated, rejected: can not',
    labels: { status, aggregation_id },
  },
  facilitator_intake_packets_per_ingestion_batch: {
    kind: 'gauge',
    help: 'Packets in the ingestion batch that was taken in last',
    labels: { aggregation_id },
  },
  facilitator_intake_ingestion_packets_processed: {
    kind: 'counter',
    help: 'Packets in the ingestion batches taken in',
    labels: { aggregation_id },
  },
  facilitator_intake_bytes_processed: {
    kind: 'counter',
    help: 'Bytes of the encrypted payloads in the ingestion batches taken in',
    labels: { aggregation_id },
  },
  facilitator_invalid_ingestion_validation_batches: {
    kind: 'counter',
    help: 'Ingestion batches whose header signature or packet file digest did not verify, permitted or not',
    labels: { reason },
  },
  facilitator_aggregate_tasks_started: {
    kind: 'counter',
    help: 'Aggregate tasks begun, repeated ones again',
    labels: { aggregation_id },
  },
  facilitator_aggregate_tasks_finished: {
    kind: 'counter',
    help: 'Aggregate tasks ended; error: may succeed when repeated, rejected: can not',
    labels: { status, aggregation_id },
  },
  facilitator_aggregate_packets_per_batch: {
    kind: 'gauge',
    help: 'Distinct packets in the batch that was summed last',
    labels: { aggregation_id },
  },
  facilitator_aggregate_packets_per_sum_part: {
    kind: 'gauge',
    help: 'Packets in the sum part that was published last',
    labels: { aggregation_id },
  },
  facilitator_aggregate_window_end_timestamp_seconds: {
    kind: 'gauge',
    help: 'End of the window whose sum part was published last, or found published, in seconds since 1970',
    labels: { aggregation_id },
  },
  facilitator_aggregate_packets_processed: {
    kind: 'counter',
    help: 'Packets in the sum parts published',
    labels: { aggregation_id },
  },
  facilitator_aggregate_bytes_processed: {
    kind: 'counter',
    help: 'Bytes of the encrypted payloads in the batches of the sum parts published',
    labels: { aggregation_id },
  },
  facilitator_invalid_peer_validation_batches: {
    kind: 'counter',
    help: 'Validation batches of the peer whose header signature or packet file digest did not verify, permitted or not',
    labels: { reason },
  },
  facilitator_packets_total: {
    kind: 'counter',
    help: 'Packets by what became of them, repeats of a UUID and all packets of a batch left out included',
    labels: {
      task: ['intake', 'aggregate'],
      aggregation_id,
      result: ['taken_in', 'without_message', 'summed', 'duplicate', 'no_peer_share', 'proof_failed', 'undecryptable'],
    },
  },
  facilitator_sealed_sums_total: {
    kind: 'counter',
    help: 'Batches of aggregate by what became of the sum that intake sealed; where it is not used, every packet is opened again',
    labels: { aggregation_id, result: ['used', 'missing', 'no_sealed_sum', 'other_version', 'no_key', 'malformed'] },
  },
  facilitator_key_uses_total: {
    kind: 'counter',
    help: 'Packets and sealed sums opened, signatures verified or made, with a key; what counts no more may be retired',
    labels: {
      use: ['open_packet', 'open_sealed_sum', 'verify_ingestion', 'verify_peer', 'sign'],
      key_id,
    },
  },
  facilitator_key_expiration_timestamp_seconds: {
    kind: 'gauge',
    help: 'When a batch signing key that was asked for expires by its author’s manifest, in seconds since 1970',
    labels: { party: ['ingestor', 'peer', 'pha', 'facilitator'], key_id },
  },
  facilitator_task_duration_seconds: {
    kind: 'histogram',
    help: 'Time from the receipt of a task until it was settled',
    labels: { task, outcome },
    buckets: DURATION_BUCKETS,
  },
  facilitator_task_attempts: {
    kind: 'histogram',
    help: 'Deliveries of a task up to and with this one, where the queue counts them',
    labels: { task, outcome },
    buckets: ATTEMPT_BUCKETS,
  },
  facilitator_task_failures_total: {
    kind: 'counter',
    help: 'Tasks that failed, by the code of the error (docs/errors.md)',
    labels: { task, error_code: 'a code of docs/errors.md, or E_UNEXPECTED' },
  },
  facilitator_tasks_in_hand: {
    kind: 'gauge',
    help: 'Tasks received and not settled yet',
    labels: { task },
  },
  facilitator_redeliveries_total: {
    kind: 'counter',
    help: 'Deliveries of a task after the first, where the queue counts them',
    labels: { task },
  },
  facilitator_lease_extensions_total: {
    kind: 'counter',
    help: 'Attempts to hold a task for another ack deadline',
    labels: { task, result: ['success', 'failure'] },
  },
  facilitator_leases_lost_total: {
    kind: 'counter',
    help: 'Tasks that were aborted, or could not be settled, because they may be somebody else’s now',
    labels: { task },
  },
  facilitator_object_store_requests_total: {
    kind: 'counter',
    help: 'Requests to object stores, each page of a listing counted, repetitions by the client library not',
    labels: { service, operation: ['list', 'get', 'put', 'delete'] },
  },
  facilitator_api_latency_ms: {
    kind: 'histogram',
    help: 'Time that an object store took, of reads until the answer began, of listings for all keys that were read',
    labels: {
      service,
      endpoint: ['check', 'list', 'get', 'put', 'create', 'replace', 'delete'],
      status: 'success, the code of the error (docs/errors.md), aborted by us, or unknown',
    },
    buckets: API_LATENCY_BUCKETS,
  },
  facilitator_samples_generated_total: {
    kind: 'counter',
    help: 'Samples that the synthetic monitor wrote for both servers, or failed to',
    labels: { aggregation_id, status: ['success', 'error'] },
  },
  sample_generator_mismatched_sum_count: {
    kind: 'counter',
    help: 'Sums of the synthetic monitor that were not what its samples add up to',
    labels: { aggregation_id, instance_name: 'name of the deployment' },
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;
