import { workerInvocation, type Server, type WorkerKind } from './data-share-processor.ts';
import { runProcess, type ProcessSettings } from './process.ts';

const KINDS = ['intake-batch-worker', 'aggregate-worker'] as const satisfies readonly WorkerKind[];

/** Processes of each kind and server. */
const WORKERS_OF_A_KIND = 2;

export interface WorkerPoolSettings extends Omit<ProcessSettings, 'signal'> {
  /** How long a task stays with a worker that was killed. */
  readonly visibilityTimeout: string;
  /** Aborts with the reason if a worker cannot go on. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Two worker processes of each kind for each server, as long as the pool is not closed. One that is killed is started
 * again, as Kubernetes would; one that ends by itself is a failure.
 */
export class WorkerPool implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #workers: readonly Promise<void>[];

  constructor(servers: readonly Server[], settings: WorkerPoolSettings) {
    this.#workers = servers.flatMap((server) =>
      KINDS.flatMap((kind) =>
        Array.from({ length: WORKERS_OF_A_KIND }, () => this.#keepRunning(server, kind, settings)),
      ),
    );
  }

  /** Ends all workers; returns when they have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the workers are done'));
    await Promise.all(this.#workers);
  }

  async #keepRunning(server: Server, kind: WorkerKind, settings: WorkerPoolSettings): Promise<void> {
    const { signal } = this.#stop;
    const invocation = workerInvocation(server, kind, settings.visibilityTimeout);
    while (!signal.aborted) {
      try {
        const { killedBy, description } = await runProcess(invocation, { ...settings, signal });
        if (killedBy === null) throw new Error(description);
      } catch (err) {
        if (signal.aborted) return;
        settings.onFailure(err instanceof Error ? err : new Error(String(err)));
        return;
      }
    }
  }
}
