import { pino, type Bindings, type ChildLoggerOptions, type Level, type Logger, type LoggerOptions } from 'pino';
import { redact } from './redact.ts';

export type { Logger } from 'pino';

/** pino's own names, and `silent` for nothing at all. */
export type LogLevel = Level | 'silent';

/** The names that Cloud Logging and the reference implementation know; neither has one below DEBUG. */
const SEVERITY: Readonly<Record<Level, string>> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'CRITICAL',
};

export interface LogSettings {
  readonly level: LogLevel;
  /** Of the program; on every line. */
  readonly version: string;
  readonly clock: () => Date;
  /** Takes one line at a time, line feed included, and must have written it on return: the process may end next. */
  readonly write: (line: string) => void;
}

/**
 * A logger of one JSON object per line: `severity`, `time` (RFC 3339, UTC), `version`, the fields of the event
 * (snake_case), `message`. `docs/protocol.md`, "Logging". Redacts by `redact`.
 */
export function createLogger({ level, version, clock, write }: LogSettings): Logger {
  const options: LoggerOptions = {
    level,
    messageKey: 'message',
    base: { version },
    timestamp: () => `,"time":"${clock().toISOString()}"`,
    formatters: {
      // pino calls it with the levels of `SEVERITY` only, as there are no custom ones.
      level: (label) => ({ severity: SEVERITY[label as Level] }),
      log: redact,
    },
  };
  return redactBindings(pino(options, { write }));
}

interface BindingMethods {
  child(this: Logger, bindings: Bindings, options?: ChildLoggerOptions): Logger;
  setBindings(this: Logger, bindings: Bindings): void;
}

/**
 * Redacts the fields of `child` and `setBindings` as well. pino 10 has a formatter for bindings, but calls it only
 * for those of the root. Children inherit the methods of the root, so replacing them once is enough.
 */
function redactBindings(log: Logger): Logger {
  // pino keeps the methods of a root logger in its prototype; these two are declared with more type parameters.
  const plain = Object.getPrototypeOf(log) as BindingMethods;
  const redacting: BindingMethods = {
    child(bindings, options) {
      return plain.child.call(this, redact(bindings), options);
    },
    setBindings(bindings) {
      plain.setBindings.call(this, redact(bindings));
    },
  };
  return Object.assign(log, redacting);
}
