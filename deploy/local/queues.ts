import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Places } from './places.ts';

/**
 * Tasks that nobody will do any more.
 * @throws Error that names the directory they are in, since the deployment would wait for them for ever
 */
export async function requireNoParkedTasks(places: Places): Promise<void> {
  for (const { intakeTasks, aggregateTasks, rejected } of Object.values(places.queues)) {
    const parked = [join(intakeTasks, 'dead-letters'), join(aggregateTasks, 'dead-letters'), join(rejected, 'ready')];
    for (const directory of parked) {
      const count = await countFiles(directory);
      if (count > 0) throw new Error(`${count} tasks were given up: see ${directory} and the log of the workers`);
    }
  }
}

/** Whether no task waits and no worker holds one. */
export async function areQueuesEmpty(places: Places): Promise<boolean> {
  for (const { intakeTasks, aggregateTasks } of Object.values(places.queues)) {
    for (const queue of [intakeTasks, aggregateTasks]) {
      if ((await countFiles(join(queue, 'ready'))) + (await countFiles(join(queue, 'leased'))) > 0) return false;
    }
  }
  return true;
}

async function countFiles(directory: string): Promise<number> {
  try {
    return (await readdir(directory)).length;
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return 0;
    throw err;
  }
}
