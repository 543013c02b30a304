import { cpus, totalmem, type, arch } from 'node:os';
import type { Machine } from './results.ts';

/** The kind of machine; nothing that tells one of them from another. */
export function thisMachine(): Machine {
  const all = cpus();
  return {
    processor: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${arch()}`,
  };
}
