import type { Logger } from '../../common/runtime/log.ts';

/** What a worker knows of every task. */
export interface Task {
  /** For logs and results only. */
  readonly traceId: string;
}

export interface TaskContext {
  /**
   * Aborted once the task has to end before it is done: with `LeaseLost` when it may be somebody else's, `TaskTimedOut`,
   * or `Stopped`. From then on nothing may be written.
   */
  readonly signal: AbortSignal;
  /** Bears the fields that tell this delivery from others. */
  readonly log: Logger;
  /** When the task was published, if that is known. */
  readonly publishedAt?: Date | undefined;
}

/** What a task found, for its result: fields in snake_case, e.g. `packets`. */
export type Findings = Readonly<Record<string, number | string | boolean>>;

/** What the messages of one queue are, and what is to be done about them: the handler of a kind of tasks. */
export interface TaskKind<T extends Task> {
  /** In results, metrics and names of objects: `intake`. */
  readonly name: string;
  /** @throws TaskMalformed */
  readonly decode: (message: Uint8Array) => T;
  /** What the task is about, for logs and results: fields in snake_case. */
  readonly describe: (task: T) => Readonly<Record<string, string>>;
  /** Does the task from start to end. Throws to fail it; `fateOf` the error decides what becomes of it. */
  readonly execute: (task: T, context: TaskContext) => Promise<Findings>;
}
