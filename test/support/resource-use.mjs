// Preloaded into a process (node --import): tells what it used, as JSON, on file descriptor 3 at its end.
import { readFileSync, writeSync } from 'node:fs';

function peakKiB() {
  // On Linux a process inherits the peak that getrusage(2) tells from whoever started it, but not this one.
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
}

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeSync(3, JSON.stringify({ cpuMs: (user + system) / 1000, wallMs: performance.now(), peakMiB: peakKiB() / 1024 }));
});
