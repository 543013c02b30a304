// Preloaded into a process (node --import): tells what it used, as JSON, on file descriptor 3 at its end.
import { readFileSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

function peakKiB() {
  // On Linux a process inherits the peak that getrusage(2) tells from whoever started it, but not this one.
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
}

// Threads preload it too, and their usage is that of the process.
function tell() {
  const { user, system } = process.cpuUsage();
  writeSync(3, JSON.stringify({ cpuMs: (user + system) / 1000, wallMs: performance.now(), peakMiB: peakKiB() / 1024 }));
}
if (isMainThread) process.on('exit', tell);
