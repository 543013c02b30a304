import { formatDuration } from '../common/domain/duration.ts';
import { ConfigurationInvalid, UsageError } from '../common/errors.ts';
import type { Storage } from '../common/ports/storage.ts';
import type { CommandContext } from '../common/runtime/command.ts';
import { namingAsync } from '../common/runtime/naming.ts';
import { linePrinter, type LinePrinter } from './line-printer.ts';
import type { PublisherArgs } from './options.ts';
import { pushFailure, type RunPorts, type RunSettings } from './run.ts';
import { connect, withoutEffects } from './wire.ts';

export interface Prepared {
  readonly ports: RunPorts;
  readonly settings: RunSettings;
  /** Where a dry run says what it would do. */
  readonly printer: LinePrinter;
}

/** So that one is published while another is listed. */
const AGGREGATIONS_AT_ONCE = 2;

/**
 * Opens what a run needs, and finds out before any work whether it can be used. Nothing is changed.
 * @throws UsageError; ConfigurationInvalid, PermissionDenied that name the option; StorageUnavailable, QueueUnavailable
 */
export async function prepare(args: PublisherArgs, context: CommandContext): Promise<Prepared> {
  const { clock, log, stdout } = context;
  const now = planningTime(args, clock());
  const requests = new Map<string, number>();
  const connected = await connectByOptions(args, context, (request) => {
    requests.set(request, (requests.get(request) ?? 0) + 1);
  });
  requireDifferent(connected);
  const createTopics = args['gcp-pubsub-create-topics'] || args['create-pubsub-topics'];
  if (createTopics && args['task-queue-kind'] === 'aws-sns') {
    throw new ConfigurationInvalid(
      '--gcp-pubsub-create-topics: topics of Amazon SNS are created by other means, e.g. Terraform; leave it out',
    );
  }
  const printer = linePrinter(stdout);
  const isQuiet = args.output === 'json';
  const ports = args['dry-run'] ? withoutEffects(connected, isQuiet ? () => {} : printer.print) : connected;
  const settings: RunSettings = {
    server: args['is-first'] ? 0 : 1,
    now,
    intakeMaxAgeMs: args['intake-max-age'],
    periodMs: args['aggregation-period'],
    graceMs: args['grace-period'],
    lookback: args['aggregation-lookback'],
    override: args['aggregation-override-timestamp'],
    requireOwnValidation: args['require-own-validation'],
    maxEnqueueWorkers: args['max-enqueue-workers'],
    aggregationsAtOnce: AGGREGATIONS_AT_ONCE,
    createTopics,
    reaping: { minAgeMs: args['reap-min-age'], stuckAgeMs: args['reap-stuck-age'] },
    requests: () => requests,
  };
  try {
    await checkPorts(ports, settings.createTopics);
  } catch (err) {
    await pushFailure(ports.metrics, { error: err, now, requests }, context);
    await disposeOf(ports);
    throw err;
  }
  if (args['intake-max-age'] < args['aggregation-period'] + args['grace-period']) {
    const sum = formatDuration(args['aggregation-period'] + args['grace-period']);
    log.warn(
      `--intake-max-age is shorter than --aggregation-period and --grace-period together (${sum}): batches that arrive late may be too old for intake although their window is still open`,
    );
  }
  return { ports, settings, printer };
}

function planningTime(args: PublisherArgs, now: Date): Date {
  const asOf = args['as-of'];
  if (asOf && asOf > now && !args['dry-run']) {
    throw new UsageError(`--as-of ${asOf.toISOString()} is later than now, which only --dry-run may be`);
  }
  return asOf ?? now;
}

async function connectByOptions(
  args: PublisherArgs,
  { clock, log }: CommandContext,
  onRequest: Parameters<typeof connect>[0]['onRequest'],
): Promise<RunPorts> {
  const namespace = args['k8s-namespace'];
  const address = args['push-gateway'];
  const ports = await connect({
    storages: {
      ingestor: { open: args['ingestor-input'], identity: args['ingestor-identity'] },
      'own-validation': { open: args['own-validation-input'], identity: args['own-validation-identity'] },
      'peer-validation': { open: args['peer-validation-input'], identity: args['peer-validation-identity'] },
    },
    queueKind: args['task-queue-kind'],
    topics: { intake: args['intake-tasks-topic'], aggregate: args['aggregate-tasks-topic'] },
    queue: {
      clock,
      gcpProjectId: args['gcp-project-id'],
      pubsubEmulatorHost: args['pubsub-emulator-host'],
      awsSnsRegion: args['aws-sns-region'],
      credentials: { identity: args['aws-sns-identity'] },
    },
    jobs:
      namespace !== undefined && args['reap-jobs']
        ? {
            namespace,
            kubeConfigPath: args['kube-config-path'],
            labelSelector: args['reap-label-selector'],
            onUnavailable: (failure) => log.warn({ error: failure.message }, 'the API server is waited for'),
          }
        : undefined,
    metrics:
      address === undefined
        ? undefined
        : { address, locality: namespace ?? '', ingestor: args['ingestor-label'] ?? '' },
    onRequest,
  });
  if (ports.intakeTasks.url === ports.aggregateTasks.url) {
    throw new UsageError('--intake-tasks-topic and --aggregate-tasks-topic are the same; give each kind its own');
  }
  return ports;
}

/** The peer's files have the names of ours but for the index; in one place they would be taken for each other's. */
function requireDifferent({ ingestion, ownValidation, peerValidation }: RunPorts): void {
  const urls = [ingestion, ownValidation, peerValidation].map(({ url }) => url);
  if (new Set(urls).size === urls.length) return;
  throw new ConfigurationInvalid(
    `--ingestor-input, --own-validation-input and --peer-validation-input must be three storages, not ${urls.join(', ')}`,
  );
}

const isDirectory = ({ url }: Storage): boolean => url.startsWith('file:');

async function checkPorts(ports: RunPorts, createsTopics: boolean): Promise<void> {
  await namingAsync('--ingestor-input', () => ports.ingestion.check('read'));
  await namingAsync('--own-validation-input', async () => {
    await ports.ownValidation.check('write');
    // A directory is not there before it is written to.
    if (!isDirectory(ports.ownValidation)) await ports.ownValidation.check('read');
  });
  // A directory is not there before the peer has written to it, which it does after our intake; a bucket always is.
  if (!isDirectory(ports.peerValidation)) {
    await namingAsync('--peer-validation-input', () => ports.peerValidation.check('read'));
  }
  if (createsTopics) return;
  await namingAsync('--intake-tasks-topic', () => ports.intakeTasks.check());
  await namingAsync('--aggregate-tasks-topic', () => ports.aggregateTasks.check());
}

/** What holds connections. */
export async function disposeOf({ intakeTasks, aggregateTasks }: RunPorts): Promise<void> {
  await Promise.allSettled([intakeTasks, aggregateTasks].map((enqueuer) => enqueuer[Symbol.asyncDispose]()));
}
