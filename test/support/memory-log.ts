import { createLogger, type Logger, type LogLevel } from '../../common/runtime/log.ts';

export interface MemoryLog {
  readonly log: Logger;
  /** The lines logged so far, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

/** A logger as in production (same keys, same redaction) that keeps its lines, all at the same time of day. */
export function memoryLogger(level: LogLevel = 'trace'): MemoryLog {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    level,
    version: 'test',
    clock: () => new Date('2026-11-21T10:00:00Z'),
    write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  return { log, lines };
}
