/** A line of the log, parsed. */
export type LogLine = Readonly<Record<string, unknown>>;

/** The lines that a program logged. @throws SyntaxError if there is anything else among them */
export function logLines(stderr: string): LogLine[] {
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}

/** The same without the line with which workers, and commands that take long, begin. */
export function linesAfterStart(stderr: string): LogLine[] {
  const lines = logLines(stderr);
  const isStart = lines[0]?.['severity'] === 'INFO' && / start(?:ed|ing)$/.test(String(lines[0]['message']));
  return isStart ? lines.slice(1) : lines;
}
