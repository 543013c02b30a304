import type { Job, Jobs } from '../../workflow-manager/jobs.ts';

export const OLD_INTAKE_NAME = 'i-kittens-seen-b8a5579af984460a-2020-10-31-20-29';
export const OLD_AGGREGATE_NAME = 'a-kittens-seen-2020-10-31-20-00';

/** A Job as an older version left it, completed within five minutes, but for `changes`. */
export function jobLeftBehind(changes: Partial<Job> = {}): Job {
  return {
    namespace: 'prio',
    name: OLD_INTAKE_NAME,
    uid: 'b0a2bdb9-2a0c-4a2c-8b3c-1d3c2e8f0a11',
    createdAt: new Date('2020-10-31T20:30:00Z'),
    finishedAt: new Date('2020-10-31T20:35:00Z'),
    containers: ['facile-container'],
    owners: [],
    isBeingDeleted: false,
    isSelected: false,
    ...changes,
  };
}

/** Jobs of which `attempt` tells what deleting one does; without it, all can be deleted. */
export class MemoryJobs implements Jobs {
  readonly url = 'memory:jobs';
  /** Names, in the order in which somebody tried to delete them. */
  readonly tried: string[] = [];
  readonly #jobs: readonly Job[];
  readonly #attempt: (job: Job) => 'deleted' | 'gone' | Error;

  constructor(jobs: readonly Job[], attempt: (job: Job) => 'deleted' | 'gone' | Error = () => 'deleted') {
    this.#jobs = jobs;
    this.#attempt = attempt;
  }

  async *list(signal?: AbortSignal): AsyncGenerator<Job> {
    for (const job of this.#jobs) {
      signal?.throwIfAborted();
      yield job;
    }
  }

  async delete(job: Job, signal?: AbortSignal): Promise<'deleted' | 'gone'> {
    signal?.throwIfAborted();
    this.tried.push(job.name);
    const outcome = this.#attempt(job);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }
}
