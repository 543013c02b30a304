import { availableParallelism, cpus } from 'node:os';
import { startNode, type Running } from './processes.ts';

export interface BusyCores extends AsyncDisposable {
  readonly count: number;
  /** The part of the time since the start in which no core had anything to do, from 0 to 1. */
  idle(): number;
}

/** Keeps every core busy with a process of its own that does nothing but count. */
export function startBusyCores(): BusyCores {
  const count = availableParallelism();
  const loops: Running[] = Array.from({ length: count }, () => startNode(['-e', 'for (;;);'], {}, false, () => {}));
  const before = cpuTimes();
  return {
    count,
    idle: () => {
      const now = cpuTimes();
      return (now.idle - before.idle) / (now.all - before.all);
    },
    [Symbol.asyncDispose]: async () => {
      for (const { child } of loops) child.kill('SIGKILL');
      await Promise.all(loops.map(({ ended }) => ended));
    },
  };
}

function cpuTimes(): { readonly idle: number; readonly all: number } {
  const times = cpus().map(({ times }) => times);
  const idle = times.reduce((sum, core) => sum + core.idle, 0);
  const all = times.reduce((sum, core) => sum + core.user + core.nice + core.sys + core.idle + core.irq, 0);
  return { idle, all };
}
