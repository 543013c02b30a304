import type { Invocation } from '../../deploy/local/process.ts';
import type { LogLine } from '../support/log-lines.ts';
import { startProgram, type Ending } from './processes.ts';

/** A worker as operators run it: with no channel to whoever started it. */
export class LoggedWorker {
  readonly ended: Promise<Ending>;
  readonly #lines: LogLine[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #kill: (signal: NodeJS.Signals) => void;

  constructor(invocation: Invocation, env: Readonly<Record<string, string>>, logFile: string) {
    const { child, ended } = startProgram(invocation, { env, logFile, hasChannel: false }, (line) => {
      this.#lines.push(line.startsWith('{') ? (JSON.parse(line) as LogLine) : { text: line });
      for (const look of this.#listeners) look();
    });
    this.ended = ended;
    this.#kill = (signal) => void child.kill(signal);
  }

  /** All lines with this message so far. */
  lines(message: string): readonly LogLine[] {
    return this.#lines.filter((line) => line['message'] === message);
  }

  /** The first line with this message. @throws Error if the worker ends before, or after `limitMs` */
  async logged(message: string, limitMs: number): Promise<LogLine> {
    let look = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<LogLine>((resolve, reject) => {
        const fail = (why: string): void =>
          reject(new Error(`no "${message}" ${why}: ${JSON.stringify(this.#lines.slice(-3))}`));
        look = () => {
          const [line] = this.lines(message);
          if (line) resolve(line);
        };
        timer = setTimeout(() => fail(`within ${limitMs} ms`), limitMs);
        void this.ended.then(() => fail('before the end'));
        this.#listeners.add(look);
        look();
      });
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(look);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#kill(signal);
  }
}
