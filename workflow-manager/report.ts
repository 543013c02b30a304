import { describeError, namedFailure } from '../common/errors.ts';
import type { Job, Jobs } from './jobs.ts';
import type { TaskOutcome } from './publish.ts';
import { summaryOf, type RunOutcome } from './run-outcome.ts';
import { fieldsOf } from './schedule.ts';

/** What a run did, or in a dry run would have done, for `--output json`. */
export class RunReport {
  readonly #isDryRun: boolean;
  readonly #tasks: Readonly<Record<string, unknown>>[] = [];
  readonly #jobs: Readonly<Record<string, unknown>>[] = [];

  constructor({ isDryRun }: { readonly isDryRun: boolean }) {
    this.#isDryRun = isDryRun;
  }

  readonly onTask = ({ body, marker, fields, isPublished }: TaskOutcome): void => {
    const { task } = fields;
    this.#tasks.push({ task, status: this.#status(isPublished, 'published'), marker, message: JSON.parse(body) });
  };

  /** `jobs`, whose deletions are part of the plan. */
  watched(jobs: Jobs): Jobs {
    return {
      url: jobs.url,
      list: (signal) => jobs.list(signal),
      delete: async (job, signal) => {
        try {
          const outcome = await jobs.delete(job, signal);
          this.#noteJob(job, this.#status(true, outcome));
          return outcome;
        } catch (err) {
          this.#noteJob(job, 'failed');
          throw err;
        }
      },
    };
  }

  /** One JSON object, on several lines. */
  document(outcome: RunOutcome): string {
    const { published, held, failures } = outcome;
    const document = {
      'dry-run': this.#isDryRun,
      plan: { tasks: this.#tasks, jobs: this.#jobs },
      summary: summaryOf(outcome),
      aggregations: Object.fromEntries([...published].map(([id, summary]) => [id, fieldsOf(summary)])),
      held,
      failures: failures.map(({ aggregationId = null, stage, error }) => ({
        aggregation_id: aggregationId,
        stage,
        error_code: namedFailure(error)?.code ?? 'E_UNEXPECTED',
        error: describeError(error),
      })),
    };
    return JSON.stringify(document, undefined, 2);
  }

  #status(isDone: boolean, done: string): string {
    if (!isDone) return 'failed';
    return this.#isDryRun ? 'planned' : done;
  }

  #noteJob({ namespace, name, uid }: Job, status: string): void {
    this.#jobs.push({ job: `${namespace}/${name}`, uid, status });
  }
}
