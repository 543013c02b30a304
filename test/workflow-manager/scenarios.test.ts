import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BatchInfix } from '../../common/domain/batch-object.ts';
import type { BatchId } from '../../common/domain/batch-path.ts';
import { aggregateClaim, aggregateMarker, intakeMarker } from '../../common/domain/marker.ts';
import { run, type Ended } from '../support/child-process.ts';
import { logLines } from '../support/log-lines.ts';
import {
  aggregateMessage,
  argumentsOf,
  batchAt,
  IN_INTAKE,
  IN_WINDOW,
  intakeMessage,
  messagesIn,
  objectsOf,
  placesIn,
  publisherOptions,
  WINDOW,
  windowOf,
  WORKFLOW_MANAGER,
  writeObjects,
  type Places,
} from '../support/publisher.ts';
import { filesIn, temporaryDirectory } from '../support/temp-directory.ts';

/* The scenarios that the reference's publisher is tested by, over the program as it is installed. */

const AGGREGATION = 'kittens-seen';
const root = temporaryDirectory();
let places: Places;
beforeEach(() => {
  places = placesIn(root());
  mkdirSync(places.ingestion);
});

function write(place: 'ingestion' | 'ownValidation' | 'peerValidation', batch: BatchId, infix: BatchInfix): void {
  writeObjects(places[place], objectsOf(AGGREGATION, batch, infix));
}

function writeMarker(key: string): void {
  mkdirSync(dirname(join(places.ownValidation, key)), { recursive: true });
  writeFileSync(join(places.ownValidation, key), key);
}

async function publish(changes: Record<string, string> = {}): Promise<Ended> {
  const ended = await run(WORKFLOW_MANAGER, argumentsOf({ ...publisherOptions(root()), ...changes }));
  expect(ended).toMatchObject({ status: 0, signal: null, stdout: '' });
  return ended;
}

/** Markers and claims; the lease is there after every run. */
function decided(): string[] {
  return filesIn(places.ownValidation).filter(
    (key) => /^task-(?:markers|claims)\//.test(key) && !key.endsWith('.lease'),
  );
}

describe('intake of a current batch', () => {
  const batch = batchAt(IN_INTAKE);

  it('without marker: its task and its marker', async () => {
    write('ingestion', batch, 'batch');
    await publish();
    expect(messagesIn(places.intakeTasks)).toEqual([intakeMessage(AGGREGATION)]);
    expect(messagesIn(places.aggregateTasks)).toEqual([]);
    const marker = intakeMarker(AGGREGATION, batch);
    expect(decided()).toEqual([marker]);
    expect(readFileSync(join(places.ownValidation, marker), 'utf8')).toBe(marker);
  });

  it('with marker: neither', async () => {
    write('ingestion', batch, 'batch');
    writeMarker(intakeMarker(AGGREGATION, batch));
    await publish();
    expect(messagesIn(places.intakeTasks)).toEqual([]);
    expect(decided()).toEqual([intakeMarker(AGGREGATION, batch)]);
  });
});

describe('aggregation', () => {
  const OLD = { batch: batchAt('2024-10-31T20:29Z'), window: windowOf('2024-10-31T18:00Z', '2024-10-31T21:00Z') };
  const NEW = { batch: batchAt(IN_WINDOW), window: WINDOW };
  const OVERRIDE = { 'aggregation-override-timestamp': '202410312029' };

  it.each([
    { name: 'no intake, no peer', of: NEW, intake: false, peer: false, marker: false, task: false, changes: {} },
    { name: 'peer only', of: NEW, intake: false, peer: true, marker: false, task: false, changes: {} },
    { name: 'intake only', of: NEW, intake: true, peer: false, marker: false, task: false, changes: {} },
    { name: 'both, no marker', of: NEW, intake: true, peer: true, marker: false, task: true, changes: {} },
    { name: 'both, with marker', of: NEW, intake: true, peer: true, marker: true, task: false, changes: {} },
    { name: 'override, no marker', of: OLD, intake: true, peer: true, marker: false, task: true, changes: OVERRIDE },
    { name: 'override, with marker', of: OLD, intake: true, peer: true, marker: true, task: false, changes: OVERRIDE },
  ])('$name', async ({ of: { batch, window }, intake, peer, marker, task, changes }) => {
    if (intake) write('ingestion', batch, 'batch');
    if (intake) write('ownValidation', batch, 'validity_1');
    if (peer) write('peerValidation', batch, 'validity_0');
    if (marker) writeMarker(aggregateMarker(AGGREGATION, window));
    await publish(changes);
    const message = aggregateMessage(AGGREGATION, window, [batch]);
    expect(messagesIn(places.aggregateTasks)).toEqual(task ? [message] : []);
    expect(messagesIn(places.intakeTasks)).toEqual([]);
    const [claimKey, markerKey] = [aggregateClaim(AGGREGATION, window), aggregateMarker(AGGREGATION, window)];
    expect(decided()).toEqual(task ? [claimKey, markerKey] : marker ? [markerKey] : []);
    if (task) expect(readFileSync(join(places.ownValidation, claimKey), 'utf8')).toBe(message);
    if (task) expect(readFileSync(join(places.ownValidation, markerKey), 'utf8')).toBe(markerKey);
  });

  it('takes a window half-open', async () => {
    for (const time of ['11:59', '12:00', '14:59', '15:00']) {
      const batch = batchAt(`2024-11-20T${time}Z`);
      write('ingestion', batch, 'batch');
      write('ownValidation', batch, 'validity_1');
      write('peerValidation', batch, 'validity_0');
    }
    await publish({ 'intake-max-age': '0' });
    const batches = [batchAt('2024-11-20T12:00Z'), batchAt('2024-11-20T14:59Z')];
    expect(messagesIn(places.aggregateTasks)).toEqual([aggregateMessage(AGGREGATION, WINDOW, batches)]);
  });

  it('has one trace id at both servers', async () => {
    const batch = batchAt(IN_WINDOW);
    write('ingestion', batch, 'batch');
    write('ownValidation', batch, 'validity_1');
    write('peerValidation', batch, 'validity_0');
    const facilitator = await publish();
    // The PHA sees the same files the other way round.
    const changes = {
      'is-first': 'true',
      'own-validation-input': places.peerValidation,
      'peer-validation-input': places.ownValidation,
    };
    const pha = await publish(changes);
    const [one, other] = [facilitator, pha].map(({ stderr }) =>
      logLines(stderr).filter(({ task }) => task === 'aggregate'),
    );
    expect(one).toHaveLength(1);
    expect(one).toMatchObject([{ message: 'task published', window_begin: '2024/11/20/12/00', batches: 1 }]);
    expect(other).toMatchObject([{ trace_id: one?.[0]?.['trace_id'] }]);
    const [message, second] = messagesIn(places.aggregateTasks);
    expect(second).toBe(message);
  });
});

describe('discovery', () => {
  it('takes the folders of the ingestion storage, without slash and but for those of the publisher', async () => {
    for (const id of ['a', 'a-b', 'Z', 'task-markers', 'task-claims']) {
      writeObjects(places.ingestion, objectsOf(id, batchAt(IN_INTAKE), 'batch'));
    }
    writeObjects(places.ingestion, ['README', '.hidden/x', 'empty-but-for/a-file']);
    mkdirSync(join(places.ingestion, 'empty'));
    const { stderr } = await publish();
    const messages = messagesIn(places.intakeTasks).toSorted();
    expect(messages).toEqual(['Z', 'a-b', 'a'].map((id) => intakeMessage(id)).toSorted());
    const lines = logLines(stderr);
    const byId = (id: unknown): unknown =>
      lines.find((line) => line['aggregation_id'] === id && line['message'] === 'aggregation published');
    expect(['.hidden', 'Z', 'a-b', 'a', 'empty-but-for'].map(byId)).toMatchObject([
      { aggregation_id: '.hidden' },
      { aggregation_id: 'Z', ingestions_found: 1, intake_tasks_scheduled: 1 },
      { aggregation_id: 'a-b' },
      { aggregation_id: 'a' },
      { aggregation_id: 'empty-but-for' },
    ]);
    expect(lines.filter(({ message }) => message === 'aggregation published')).toHaveLength(5);
    expect(lines.filter(({ severity, key }) => severity === 'WARNING' && key)).toMatchObject([{ key: 'README' }]);
  });
});
