import { text } from '../common/runtime/option-values.ts';
import type { Program } from '../common/runtime/program.ts';
import { aggregateCommand } from './commands/aggregate.ts';
import { aggregateWorkerCommand } from './commands/aggregate-worker.ts';
import { generateIngestionSampleCommand } from './commands/generate-ingestion-sample.ts';
import { generateIngestionSampleWorkerCommand } from './commands/generate-ingestion-sample-worker.ts';
import { inspectCommand } from './commands/inspect.ts';
import { intakeBatchCommand } from './commands/intake-batch.ts';
import { intakeBatchWorkerCommand } from './commands/intake-batch-worker.ts';
import { lintManifestCommand } from './commands/lint-manifest.ts';
import { runCommand } from './commands/run.ts';
import { validateIngestionSampleWorkerCommand } from './commands/validate-ingestion-sample-worker.ts';

/** The facilitator with all its commands, apart from the process it runs in. */
export function facilitatorProgram(version: string): Program {
  return {
    name: 'facilitator',
    version,
    envPrefix: 'FACILITATOR',
    commands: [
      intakeBatchCommand,
      intakeBatchWorkerCommand,
      aggregateCommand,
      aggregateWorkerCommand,
      runCommand,
      generateIngestionSampleCommand,
      generateIngestionSampleWorkerCommand,
      validateIngestionSampleWorkerCommand,
      inspectCommand,
      lintManifestCommand,
    ],
    globals: {
      pushgateway: text({
        describe: 'ignored, as by the reference',
        example: 'http://pushgateway:9091',
        hidden: true,
        legacyEnv: 'PUSHGATEWAY',
      }),
    },
  };
}
