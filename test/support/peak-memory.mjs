// Preloaded into a process (node --import): tells its peak resident memory, in KiB, on file descriptor 3 at its end.
import { readFileSync, writeSync } from 'node:fs';

function peak() {
  // On Linux a process inherits the peak that getrusage(2) tells from whoever started it, but not this one.
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  return /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];
}

process.on('exit', () => writeSync(3, String(peak())));
