import { setTimeout as delay } from 'node:timers/promises';
import { sumPartKeys, validationKeys } from '../../common/domain/batch-path.ts';
import { openStorage } from '../../common/backends/storage/open.ts';
import { hasObject } from '../../common/runtime/read-object.ts';
import { isFirst, SERVERS } from '../../deploy/local/places.ts';
import { whenBatchesAreIn, whenWindowIsDue } from '../../deploy/local/windows.ts';
import { runToSuccess, Workers, type ProcessSettings } from './workers.ts';
import type { World } from './world.ts';

const LOOK_EVERY_MS = 100;
const PATIENCE_MS = 200_000;

/** What a stage does to the system besides letting it run. */
export interface Disturbance {
  /** How long a task stays with a worker that says nothing. */
  readonly ackDeadlineMs: number;
  /** How often each message comes; more than once needs a world that is relayed. */
  readonly copies?: number;
  /** Goes on until the signal is aborted, or it has had enough; it is waited for. */
  readonly disturb?: (workers: Workers, signal: AbortSignal, world: World) => Promise<void>;
  /** Before the workers are told to end, for what they are still to do. */
  readonly until?: (workers: Workers) => boolean;
}

/** Runs the publishers for intake, then for the window, while workers do the tasks; returns when all results are there. */
export async function runSystem(world: World, disturbance: Disturbance, settings: ProcessSettings): Promise<Workers> {
  const { window } = world.input;
  const over = new AbortController();
  await using workers = new Workers(world, disturbance.ackDeadlineMs, settings);
  const disturbed = disturbance.disturb?.(workers, over.signal, world) ?? Promise.resolve();
  // Awaited below; until then a failure must not count as unhandled.
  disturbed.catch(() => {});
  try {
    for (const [kind, asOf, areThere] of [
      ['intakeTasks', whenBatchesAreIn(window), validationsAreThere],
      ['aggregateTasks', whenWindowIsDue(window), sumPartsAreThere],
    ] as const) {
      await Promise.all(world.servers.map((server) => runToSuccess(world.publisher(server, asOf), settings)));
      if (disturbance.copies !== undefined) await world.relay(kind, disturbance.copies);
      await poll(`results of ${kind}`, workers, () => areThere(world));
    }
    await poll('the end of all tasks', workers, async () => disturbance.until?.(workers) ?? true);
    await disturbed;
  } finally {
    over.abort();
  }
  return workers;
}

async function poll(what: string, workers: Workers, isThere: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isThere())) {
    workers.check();
    if (Date.now() > deadline) throw new Error(`${what} did not come: ${JSON.stringify([...workers.outcomes])}`);
    await delay(LOOK_EVERY_MS);
  }
}

async function validationsAreThere(world: World): Promise<boolean> {
  for (const server of SERVERS) {
    const own = world.storage(server, 'ownValidation');
    const keys = new Set<string>();
    for await (const key of own.list()) keys.add(key);
    const writer = isFirst(server) ? 0 : 1;
    // Our own signature is the last thing that intake writes.
    const isThere = world.input.aggregations.every(({ id, batches }) =>
      batches.every((batch) => keys.has(validationKeys(id, batch, writer).signature)),
    );
    if (!isThere) return false;
  }
  return true;
}

async function sumPartsAreThere(world: World): Promise<boolean> {
  const portal = openStorage(world.places.portal);
  const { aggregations, window } = world.input;
  const there = await Promise.all(
    aggregations.flatMap(({ id }) =>
      SERVERS.map((server) => hasObject(portal, sumPartKeys('e2e', id, window, isFirst(server) ? 0 : 1).signature)),
    ),
  );
  return there.every(Boolean);
}
