/** A line of the log, parsed. */
export type LogLine = Readonly<Record<string, unknown>>;

/** The lines that a program logged. @throws SyntaxError if there is anything else among them */
export function logLines(stderr: string): LogLine[] {
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}
