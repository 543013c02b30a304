import { beforeEach, describe, expect, it } from 'vitest';
import { aggregateMarker } from '../../common/domain/marker.ts';
import { gaugesOf } from '../../workflow-manager/gauges.ts';
import type { RunPorts } from '../../workflow-manager/run.ts';
import { runPublisher } from '../../workflow-manager/run.ts';
import {
  batchAt,
  failing,
  IN_INTAKE,
  IN_WINDOW,
  newRun,
  putAll,
  SETTINGS,
  WINDOW,
  windowOf,
  World,
} from '../support/publisher.ts';

let world: World;
beforeEach(() => {
  world = new World();
});

/** The value of a gauge of aggregation `a` after a run, whether that failed or not. */
async function afterRun(name: string, ports: RunPorts = world): Promise<number | undefined> {
  let value: number | undefined;
  const run = runPublisher(ports, SETTINGS, newRun(), (outcome) => {
    const gauge = gaugesOf(outcome).find((gauge) => gauge.name === `workflow_manager_${name}`);
    value = gauge?.samples.find(({ labels }) => labels['aggregation_id'] === 'a')?.value;
  });
  await run.catch(() => undefined);
  return value;
}

describe('the tasks that failed', () => {
  it.each([
    ['intake_tasks_failed', 'intake-tasks', 2],
    ['aggregation_tasks_failed', 'aggregate-tasks', 1],
  ])('are counted as %s if the topic refuses them', async (name, topic, count) => {
    for (const n of [1, 2]) await world.ingest('a', batchAt(IN_INTAKE, n));
    await world.complete('a', batchAt(IN_WINDOW));
    expect(await afterRun(name, world.through(failing('publish', topic, '')))).toBe(count);
    expect(await afterRun(name)).toBe(0);
  });

  it('are counted also if only their marker could not be written', async () => {
    await world.complete('a', batchAt(IN_WINDOW));
    const ports = world.through(failing('createIfAbsent', 'own-validation', aggregateMarker('a', WINDOW)));
    expect(await afterRun('aggregation_tasks_failed', ports)).toBe(1);
  });
});

describe('the end of the latest window', () => {
  const later = windowOf('2024-11-20T15:00Z', '2024-11-20T18:00Z');

  it('is 0 while no window has a marker', async () => {
    await world.ingest('a', batchAt(IN_INTAKE));
    expect(await afterRun('latest_window_end_timestamp_seconds')).toBe(0);
  });

  it('is that of a window which an earlier run has marked', async () => {
    await world.complete('a', batchAt(IN_WINDOW));
    expect(await afterRun('latest_window_end_timestamp_seconds')).toBe(0);
    expect(await afterRun('latest_window_end_timestamp_seconds')).toBe(WINDOW.end.getTime() / 1000);
  });

  it('is not that of an aggregation whose id goes on, nor of a name that is no window', async () => {
    await world.ingest('a', batchAt(IN_INTAKE));
    const markers = [aggregateMarker('a', WINDOW), aggregateMarker('a-b', later)];
    await putAll(world.ownValidation, [...markers, 'task-markers/aggregate-a-2099-99-99-99-99-2099-99-99-99-99']);
    expect(await afterRun('latest_window_end_timestamp_seconds')).toBe(WINDOW.end.getTime() / 1000);
  });
});
