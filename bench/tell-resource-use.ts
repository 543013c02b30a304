import { openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { agreementsChannel } from '../facilitator/crypto/agreements-channel.ts';

/*
 * Preloaded into a process (node --import): tells what it used on file descriptor 3, where ./used.ts reads it: a line of
 * JSON whenever a thread has agreed on keys, and one at the end. Threads preload it as well.
 */

const tell = (part: object): void => void writeSync(3, `${JSON.stringify(part)}\n`);

/** Linux lets a process inherit the peak that getrusage(2) tells from whoever started it, but not this one. */
function peakKiB(): number {
  const own =
    process.platform === 'linux' ? /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) : null;
  return own ? Number(own[1]) : process.resourceUsage().maxRSS;
}

/** Tells the processor time of this thread, of which only Linux keeps account. */
function tellAgreements(): void {
  const text = Buffer.alloc(64);
  let file: number | undefined;
  const cpuMs = (): number => {
    // Of the thread that opens it, and that is the one that agrees.
    file ??= openSync('/proc/thread-self/schedstat', 'r');
    return Number.parseInt(text.toString('latin1', 0, readSync(file, text, 0, text.length, 0)), 10) / 1e6;
  };
  let begun = 0;
  agreementsChannel.begin.subscribe(() => {
    begun = cpuMs();
  });
  agreementsChannel.end.subscribe(() => tell({ ecdhMs: cpuMs() - begun }));
}

if (process.platform === 'linux') tellAgreements();
if (isMainThread) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    tell({ cpuMs: (user + system) / 1000, peakMiB: peakKiB() / 1024 });
  });
}
