import { MINUTE_MS, HOUR_MS, DAY_MS } from '../common/domain/interval.ts';
import { UsageError } from '../common/errors.ts';
import { choice, compactTime, duration, flag, instant, integer, text } from '../common/runtime/option-values.ts';
import type { Args } from '../common/runtime/options.ts';
import { queueKindOption, storageOption } from './wire.ts';

const identity = (of: string) =>
  text({
    describe: `whom to be at ${of}: ARN of a role (s3) or e-mail of a service account (gs) instead of the ambient identity`,
    example: 'arn:aws:iam::123456789012:role/reader',
    emptyIsUnset: true,
  });

const topic = (tasks: string, directory: string) =>
  text({
    describe: `topic of ${tasks} tasks: Pub/Sub id, SNS ARN, or for kind local a directory`,
    example: directory,
    required: true,
  });

const storages = {
  'ingestor-input': storageOption('where ingestion batches are', 'gs://ingestion-bucket'),
  'ingestor-identity': identity('the ingestion storage'),
  'own-validation-input': storageOption(
    'where our own validation batches are, and where markers and claims are kept',
    's3://eu-west-1/own-validation-bucket',
  ),
  'own-validation-identity': identity('the storage of our own validation batches'),
  'peer-validation-input': storageOption(
    'where the peer’s validation batches are',
    'file:///var/lib/dsp/peer-validation',
  ),
  'peer-validation-identity': identity('the storage of the peer’s validation batches'),
};

const planning = {
  'is-first': flag({ describe: 'whether this is the PHA’s server', default: false, bare: true }),
  'intake-max-age': duration(0, { describe: 'how old a batch may be to be taken in', default: HOUR_MS }),
  'aggregation-period': duration(MINUTE_MS, {
    describe: 'length of aggregation windows, whole minutes',
    default: 3 * HOUR_MS,
  }),
  'grace-period': duration(0, { describe: 'how long after its end a window is aggregated', default: HOUR_MS }),
  'aggregation-lookback': integer(1, 1000, {
    describe: 'how many windows are looked at, so that those of runs that were missed are caught up',
    default: 1,
  }),
  'aggregation-override-timestamp': compactTime({
    describe: 'aggregate the window that holds this time, UTC',
    emptyIsUnset: true,
  }),
  'as-of': instant({ describe: 'plan as if it were this time, UTC; later than now only with --dry-run' }),
  'require-own-validation': flag({
    describe: 'aggregate only batches that have our own validation too',
    default: true,
    bare: true,
  }),
};

const queues = {
  'task-queue-kind': queueKindOption,
  'intake-tasks-topic': topic('intake', '/var/lib/dsp/intake-tasks'),
  'aggregate-tasks-topic': topic('aggregate', '/var/lib/dsp/aggregate-tasks'),
  'max-enqueue-workers': integer(1, 10_000, { describe: 'tasks published at once', default: 100 }),
  'gcp-project-id': text({
    describe: 'project of the topics; needed for kind gcp-pubsub',
    example: 'my-project',
    emptyIsUnset: true,
  }),
  'gcp-pubsub-create-topics': flag({
    describe: 'create topics that are not there, each with a subscription of its name',
    default: false,
    bare: true,
  }),
  'create-pubsub-topics': flag({
    describe: 'older name of --gcp-pubsub-create-topics',
    default: false,
    bare: true,
    hidden: true,
  }),
  // The vendors' client libraries read the variable themselves; with it, we ask nobody else either.
  'pubsub-emulator-host': text({
    describe: 'Pub/Sub emulator to use instead of the service',
    example: '127.0.0.1:8085',
    legacyEnv: 'PUBSUB_EMULATOR_HOST',
    emptyIsUnset: true,
    hidden: true,
  }),
  'aws-sns-region': text({
    describe: 'region of the topics; needed for kind aws-sns',
    example: 'eu-west-1',
    emptyIsUnset: true,
  }),
  'aws-sns-identity': text({
    describe: 'ARN of a role to assume for publishing instead of the ambient identity',
    example: 'arn:aws:iam::123456789012:role/publisher',
    emptyIsUnset: true,
  }),
};

const reaping = {
  'k8s-namespace': text({
    describe: 'Kubernetes namespace in which older versions left jobs; also label locality of metrics',
    example: 'us-ca',
    emptyIsUnset: true,
  }),
  'reap-jobs': flag({
    describe: 'with --k8s-namespace: delete jobs that older versions left there',
    default: true,
    bare: true,
  }),
  'reap-label-selector': text({
    describe: 'delete also jobs with these labels, whatever their names',
    example: 'app=intake-batch',
    emptyIsUnset: true,
  }),
  'reap-min-age': duration(0, { describe: 'how long ago a job must have finished to be deleted', default: HOUR_MS }),
  'reap-stuck-age': duration(0, {
    describe: 'how old a job that is still active must be to be deleted',
    default: DAY_MS,
  }),
  'kube-config-path': text({
    describe: 'kubeconfig to use instead of the service account of this pod',
    example: '/etc/dsp/kubeconfig',
    emptyIsUnset: true,
  }),
};

const metrics = {
  'push-gateway': text({
    describe: 'Pushgateway for metrics, host:port or URL; without it none are pushed',
    example: 'prometheus-pushgateway.default:9091',
    emptyIsUnset: true,
  }),
  'ingestor-label': text({ describe: 'label ingestor of metrics', example: 'ingestor-1', emptyIsUnset: true }),
};

export const publisherOptions = {
  ...planning,
  ...storages,
  ...queues,
  'lease-duration': duration(1000, {
    describe: 'how long a run that dies keeps others from its aggregation',
    default: MINUTE_MS,
  }),
  ...reaping,
  ...metrics,
  'dry-run': flag({ describe: 'print what would be done, and do nothing', default: false, bare: true }),
  output: choice(['text', 'json'], {
    describe: 'json: print one document at the end, with all tasks and the summary of the run',
    default: 'text',
  }),
};

export type PublisherArgs = Args<typeof publisherOptions>;

/**
 * Rules across options.
 * @throws UsageError
 */
export function checkPublisherOptions(args: PublisherArgs): void {
  if (args['aggregation-period'] % MINUTE_MS !== 0) {
    throw new UsageError('--aggregation-period must be whole minutes, as the names of windows are; example: 3h');
  }
}
