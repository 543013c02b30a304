/**
 * What becomes of the task that failed: `retry` leaves it to the queue to deliver it again, `reject` parks it
 * because no repetition can help.
 */
export type Fate = 'retry' | 'reject';

/**
 * The base of every failure that this project names. `code` is stable (logs, metrics, `docs/errors.md`);
 * the message is for people and may change. Messages and causes never carry key material.
 */
export abstract class DspError extends Error {
  abstract readonly code: `E_${string}`;
  abstract readonly fate: Fate;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An option, argument or environment variable is unknown, malformed or missing. Exit status 64. */
export class UsageError extends DspError {
  readonly code = 'E_USAGE';
  readonly fate = 'reject';
}

/** The configuration is well-formed but cannot work, e.g. a bucket that does not exist. Exit status 78 before any work. */
export class ConfigurationInvalid extends DspError {
  readonly code = 'E_CONFIGURATION';
  readonly fate = 'retry';
}

/** A service refused access. Exit status 77 if found before any work. */
export class PermissionDenied extends DspError {
  readonly code = 'E_PERMISSION_DENIED';
  readonly fate = 'retry';
}

/** The process was asked to end (SIGINT, SIGTERM, the end of its parent) before it was done. */
export class Stopped extends DspError {
  readonly code = 'E_STOPPED';
  readonly fate = 'retry';
}

/** There is no object under the key, or not yet. */
export class ObjectMissing extends DspError {
  readonly code = 'E_OBJECT_MISSING';
  readonly fate = 'retry';
}

/** The storage service failed or could not be reached. */
export class StorageUnavailable extends DspError {
  readonly code = 'E_STORAGE_UNAVAILABLE';
  readonly fate = 'retry';
}

/** The task queue failed or could not be reached. */
export class QueueUnavailable extends DspError {
  readonly code = 'E_QUEUE_UNAVAILABLE';
  readonly fate = 'retry';
}

/** The lease on a task, or on an aggregation, is gone: somebody else may be at it now, so nothing more is written. */
export class LeaseLost extends DspError {
  readonly code = 'E_LEASE_LOST';
  readonly fate = 'retry';
}

/** A message of the task queue is no task: no JSON, a field missing, of another type or malformed. */
export class TaskMalformed extends DspError {
  readonly code = 'E_TASK_MALFORMED';
  readonly fate = 'reject';
}

/** A key that no storage may hold: empty, absolute, with `..` or empty segments, or not printable ASCII. */
export class ObjectKeyInvalid extends DspError {
  readonly code = 'E_OBJECT_KEY';
  readonly fate = 'reject';
}

/**
 * The named failure that rules: the outermost `DspError` of the cause chain, so that whoever wraps an error
 * may also change its fate.
 */
export function namedFailure(err: unknown): DspError | undefined {
  for (let e = err; e instanceof Error; e = e.cause) if (e instanceof DspError) return e;
  return undefined;
}

/**
 * What becomes of a task that failed with `err`. An unknown failure is retried: a needless redelivery costs
 * minutes, a wrong rejection loses a batch.
 */
export function fateOf(err: unknown): Fate {
  return namedFailure(err)?.fate ?? 'retry';
}

/** `message: cause: cause of the cause …`, for a line of text. */
export function describeError(err: unknown): string {
  if (!(err instanceof Error)) return String(err);
  return err.cause === undefined ? err.message : `${err.message}: ${describeError(err.cause)}`;
}

/** An error as log fields. Named errors say all there is to say; others are bugs, and need their stack. */
export function errorFields(err: unknown): Readonly<Record<string, unknown>> {
  const failure = namedFailure(err);
  return {
    error_code: failure?.code ?? 'E_UNEXPECTED',
    error: describeError(err),
    ...(!failure && err instanceof Error ? { stack: err.stack } : {}),
  };
}
