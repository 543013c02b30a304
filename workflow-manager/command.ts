import { formatUuidV4 } from '../common/domain/uuid.ts';
import { command } from '../common/runtime/command.ts';
import { checkPublisherOptions, publisherOptions } from './options.ts';
import { disposeOf, prepare } from './prepare.ts';
import { RunReport } from './report.ts';
import { runPublisher } from './run.ts';

/** The publisher: `workflow-manager [OPTION…]`. */
export const publishCommand = command({
  name: 'workflow-manager',
  describe: 'publish tasks for the batches that have arrived, then exit',
  options: publisherOptions,
  check: checkPublisherOptions,
  prepare,
  run: async (args, { clock, log, randomBytes, signal }, { ports, settings, printer }) => {
    const report = args.output === 'json' ? new RunReport({ isDryRun: args['dry-run'] }) : undefined;
    const run = {
      runId: formatUuidV4(randomBytes(16)),
      leaseDurationMs: args['lease-duration'],
      clock,
      log,
      signal,
      onTask: report?.onTask,
    };
    const jobs = ports.jobs && report ? report.watched(ports.jobs) : ports.jobs;
    try {
      await runPublisher({ ...ports, jobs }, settings, run, (outcome) => {
        if (report) printer.print(report.document(outcome));
      });
    } finally {
      await disposeOf(ports);
      await printer.printed();
    }
  },
});
