import type { Logger } from '../../common/runtime/log.ts';

/** What a worker knows of every task. */
export interface Task {
  /** For logs only. */
  readonly traceId: string;
}

export interface TaskContext {
  /**
   * Aborted with `LeaseLost` once the task may be somebody else's; from then on nothing may be written. It is not aborted
   * when the worker is asked to end: the task in hand is finished.
   */
  readonly signal: AbortSignal;
  /** Bears the fields that tell this delivery from others. */
  readonly log: Logger;
}

/** What the messages of one queue are, and what is to be done about them. */
export interface TaskKind<T extends Task> {
  /** @throws TaskMalformed */
  readonly decode: (message: Uint8Array) => T;
  /** What the task is about, for logs: fields in snake_case. */
  readonly describe: (task: T) => Readonly<Record<string, string>>;
  /** Does the task from start to end. Throws to fail it; `fateOf` the error decides what becomes of it. */
  readonly handle: (task: T, context: TaskContext) => Promise<void>;
}
