import { readFileSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/*
 * Preloaded into a process (node --import): tells what it used, as JSON, on file descriptor 3 at its end. Threads
 * preload it as well and are part of the process.
 */

/** Linux lets a process inherit the peak that getrusage(2) tells from whoever started it, but not this one. */
function peakKiB(): number {
  const own =
    process.platform === 'linux' ? /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) : null;
  return own ? Number(own[1]) : process.resourceUsage().maxRSS;
}

if (isMainThread) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    writeSync(3, JSON.stringify({ cpuMs: (user + system) / 1000, peakMiB: peakKiB() / 1024 }));
  });
}
