import { ConfigurationInvalid, UsageError } from '../common/errors.ts';
import { MINUTE_MS } from '../common/domain/interval.ts';
import { formatUuidV4 } from '../common/domain/uuid.ts';
import { command } from '../common/runtime/command.ts';
import { compactTime, duration, flag, instant, integer, text } from '../common/runtime/option-values.ts';
import type { Output } from '../common/runtime/standard-output.ts';
import type { PublisherPorts, PublisherSettings } from './aggregation-context.ts';
import { runPublisher } from './run.ts';
import { connect, queueKindOption, storageOption, withoutEffects } from './wire.ts';

interface Prepared {
  readonly ports: PublisherPorts;
  /** Resolves once what the ports printed is with the operating system. */
  readonly printed: () => Promise<unknown>;
  readonly settings: PublisherSettings;
}

/** The publisher: `workflow-manager [OPTION…]`. */
export const publishCommand = command({
  name: 'workflow-manager',
  describe: 'publish tasks for the batches that have arrived, then exit',
  options: {
    'is-first': flag({ describe: 'whether this is the PHA’s server', default: false, bare: true }),
    'ingestor-input': storageOption('where ingestion batches are', 'file:///var/lib/dsp/ingestion'),
    'own-validation-input': storageOption(
      'where our own validation batches are, and where markers and claims are kept',
      'file:///var/lib/dsp/own-validation',
    ),
    'peer-validation-input': storageOption(
      'where the peer’s validation batches are',
      'file:///var/lib/dsp/peer-validation',
    ),
    'intake-max-age': duration(0, { describe: 'how old a batch may be to be taken in', default: 60 * MINUTE_MS }),
    'aggregation-period': duration(MINUTE_MS, {
      describe: 'length of aggregation windows, whole minutes',
      default: 180 * MINUTE_MS,
    }),
    'grace-period': duration(0, {
      describe: 'how long after its end a window is aggregated',
      default: 60 * MINUTE_MS,
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
    'task-queue-kind': queueKindOption,
    'intake-tasks-topic': text({
      describe: 'topic of intake tasks; for kind local a directory',
      example: '/var/lib/dsp/intake-tasks',
      required: true,
    }),
    'aggregate-tasks-topic': text({
      describe: 'topic of aggregate tasks; for kind local a directory',
      example: '/var/lib/dsp/aggregate-tasks',
      required: true,
    }),
    'max-enqueue-workers': integer(1, 10_000, { describe: 'tasks published at once', default: 100 }),
    'lease-duration': duration(1000, {
      describe: 'how long a run that dies keeps others from its aggregation',
      default: MINUTE_MS,
    }),
    'dry-run': flag({ describe: 'print what would be done, and do nothing', default: false, bare: true }),
  },
  check: (args) => {
    if (args['aggregation-period'] % MINUTE_MS !== 0) {
      throw new UsageError('--aggregation-period must be whole minutes, as the names of windows are; example: 3h');
    }
  },
  prepare: async (args, { clock, stdout }): Promise<Prepared> => {
    const now = clock();
    const asOf = args['as-of'];
    const dryRun = args['dry-run'];
    if (asOf && asOf > now && !dryRun) {
      throw new UsageError(`--as-of ${asOf.toISOString()} is later than now, which only --dry-run may be`);
    }
    const storages = {
      ingestion: args['ingestor-input'],
      ownValidation: args['own-validation-input'],
      peerValidation: args['peer-validation-input'],
    };
    requireDifferent(storages);
    const ports = connect(storages, {
      kind: args['task-queue-kind'],
      intakeTasksTopic: args['intake-tasks-topic'],
      aggregateTasksTopic: args['aggregate-tasks-topic'],
      clock,
    });
    if (ports.intakeTasks.url === ports.aggregateTasks.url) {
      throw new UsageError('--intake-tasks-topic and --aggregate-tasks-topic are the same; give each kind its own');
    }
    // Not the peer's: a directory is not there before the peer has written to it, which it does after our intake.
    await ports.ingestion.check('read');
    await ports.ownValidation.check('write');
    await ports.intakeTasks.check();
    await ports.aggregateTasks.check();
    const printer = linePrinter(stdout);
    return {
      ports: dryRun ? withoutEffects(ports, printer.print) : ports,
      printed: printer.printed,
      settings: {
        server: args['is-first'] ? 0 : 1,
        now: asOf ?? now,
        intakeMaxAgeMs: args['intake-max-age'],
        periodMs: args['aggregation-period'],
        graceMs: args['grace-period'],
        lookback: 1,
        override: args['aggregation-override-timestamp'],
        requireOwnValidation: args['require-own-validation'],
        maxEnqueueWorkers: args['max-enqueue-workers'],
      },
    };
  },
  run: async (args, { clock, log, randomBytes, signal }, { ports, printed, settings }) => {
    await using intakeTasks = ports.intakeTasks;
    await using aggregateTasks = ports.aggregateTasks;
    const run = { runId: formatUuidV4(randomBytes(16)), leaseDurationMs: args['lease-duration'], clock, log, signal };
    try {
      await runPublisher({ ...ports, intakeTasks, aggregateTasks }, settings, run);
    } finally {
      await printed();
    }
  },
});

/** The peer's files have the names of ours but for the index; in one place they would be taken for each other's. */
function requireDifferent(storages: Pick<PublisherPorts, 'ingestion' | 'ownValidation' | 'peerValidation'>): void {
  const urls = Object.values(storages).map(({ url }) => url);
  if (new Set(urls).size === urls.length) return;
  throw new ConfigurationInvalid(
    `--ingestor-input, --own-validation-input and --peer-validation-input must be three storages, not ${urls.join(', ')}`,
  );
}

interface LinePrinter {
  readonly print: (line: string) => void;
  /** @throws what the first line that could not be written failed by */
  readonly printed: () => Promise<unknown>;
}

/** For callers that do not wait for their lines. */
function linePrinter(output: Output): LinePrinter {
  let last: Promise<unknown> = Promise.resolve();
  return {
    print: (line) => {
      last = last.then(() => output.write(`${line}\n`));
      // Whoever waits for `printed` hears of it.
      last.catch(() => {});
    },
    printed: () => last,
  };
}
