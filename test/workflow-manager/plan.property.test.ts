import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLAIM_PREFIX, MARKER_PREFIX } from '../../common/domain/marker.ts';
import { AggregationsFailed } from '../../workflow-manager/errors.ts';
import { runPublisher } from '../../workflow-manager/run.ts';
import { listed, newRun, putAll, SETTINGS, World } from '../support/publisher.ts';

/*
 * A whole run against a model that was written from the documents and shares nothing with the program: it works on
 * texts and plain sets, all at once. Times are texts like `2024-11-20T13:30`, which sort as they are.
 */

interface Scene {
  readonly now: string;
  readonly override: string | undefined;
  readonly lookback: number;
  readonly isFirst: boolean;
  readonly requireOwnValidation: boolean;
  readonly workers: number;
  readonly ingestion: readonly string[];
  readonly peerValidation: readonly string[];
  /** Without markers and claims. */
  readonly ownValidation: readonly string[];
  readonly markers: readonly string[];
  /** By name. */
  readonly claims: ReadonlyMap<string, string>;
}

interface Expected {
  readonly intakeBodies: readonly string[];
  readonly aggregateBodies: readonly string[];
  /** Of each aggregation, as it is logged; in the order in which they take their turns. */
  readonly counts: readonly Readonly<Record<string, unknown>>[];
  readonly failed: readonly string[];
}

const HOURS = 3_600_000;
const textOf = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
const slashed = (time: string): string => time.replace(/[-T:]/g, '/');
const hyphened = (time: string): string => time.replace(/[T:]/g, '-');

/** `time|id` of the batches in `[begin, end)` by whether they are ready, and how many names are strays. */
function batchesIn(
  keys: readonly string[],
  aggregation: string,
  infix: string,
  begin: number,
  end: number,
  isReady: (parts: ReadonlySet<string>) => boolean,
): { ready: string[]; incomplete: number; strays: number } {
  const batches = new Map<string, Set<string>>();
  let strays = 0;
  for (const key of new Set(keys)) {
    if (!key.startsWith(`${aggregation}/`)) continue;
    const rest = key.slice(aggregation.length + 1);
    // What is looked at: names from the minute of the begin to that of the end.
    if (rest < slashed(textOf(begin)) || rest >= slashed(textOf(end + 59_999))) continue;
    const match = /^(\d{4})\/(\d\d)\/(\d\d)\/(\d\d)\/(\d\d)\/([^/]*)$/.exec(rest);
    const iso = match ? `${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}` : '';
    const ms = Date.parse(`${iso}Z`);
    const [id = '', ...parts] = match ? match[6]!.split('.') : [];
    const part = parts.join('.');
    const isNamed = [infix, `${infix}.avro`, `${infix}.sig`].includes(part);
    const isId = id.length === 36 && /^[0-9a-f]+-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(id);
    if (Number.isNaN(ms) || textOf(ms) !== iso || !isNamed || !isId) {
      strays++;
      continue;
    }
    if (ms < begin || ms >= end) continue;
    const found = batches.get(`${iso}|${id}`) ?? new Set();
    batches.set(`${iso}|${id}`, found.add(part.slice(infix.length)));
  }
  const ready = [...batches].filter(([, parts]) => isReady(parts)).map(([batch]) => batch);
  return { ready: ready.sort(), incomplete: batches.size - ready.length, strays };
}

const isWhole = (parts: ReadonlySet<string>): boolean => ['', '.avro', '.sig'].every((part) => parts.has(part));
const isSigned = (parts: ReadonlySet<string>): boolean => parts.has('.sig');

const claimedItem = (batch: string): string => {
  const [time = '', uuid] = batch.split('|');
  return `{"id":"${uuid}","time":"${slashed(time)}"}`;
};

function expectedOf(scene: Scene): Expected {
  const intakeBodies: string[] = [];
  const aggregateBodies: string[] = [];
  const counts: Record<string, unknown>[] = [];
  const failed: string[] = [];
  const markers = new Set(scene.markers);
  const now = Date.parse(scene.now);
  const [own, peer] = scene.isFirst ? ['validity_0', 'validity_1'] : ['validity_1', 'validity_0'];

  const yearOne = -62_135_596_800_000;
  const planned = scene.override === undefined ? now - 4 * HOURS : Date.parse(scene.override);
  const latest = yearOne + Math.floor((planned - yearOne) / (3 * HOURS)) * 3 * HOURS;
  const begins = Array.from(
    { length: scene.override === undefined ? scene.lookback : 1 },
    (_, i) => latest - i * 3 * HOURS,
  );
  begins.reverse();

  const folders = scene.ingestion.filter((key) => key.includes('/')).map((key) => `${key.split('/')[0]}/`);
  const aggregations = [...new Set(folders)].sort().map((folder) => folder.slice(0, -1));
  for (const id of aggregations.filter((name) => name !== 'task-markers' && name !== 'task-claims')) {
    const claimed = [...scene.claims.keys()].filter((name) =>
      scene.claims.get(name)?.includes(`"aggregation-id":"${id}"`),
    );
    const unpublished = claimed.filter((name) => !markers.has(name)).sort();
    aggregateBodies.push(...unpublished.map((name) => scene.claims.get(name) ?? ''));

    const intake = batchesIn(scene.ingestion, id, 'batch', now - HOURS, now + 24 * HOURS, isWhole);
    // As far back as the window goes, unless it is told, for batches that were missed.
    const lookedFrom = Math.min(now - HOURS, scene.override === undefined ? begins[0]! : Infinity);
    const looked = batchesIn(scene.ingestion, id, 'batch', lookedFrom, now + 24 * HOURS, isWhole);
    const isMarked = (batch: string): boolean => markers.has(`intake-${id}-${hyphened(batch.replace('|', '-'))}`);
    const missed = looked.ready.filter((batch) => !intake.ready.includes(batch) && !isMarked(batch));
    const fresh = intake.ready.filter((batch) => !isMarked(batch));
    for (const batch of fresh) {
      const [time = '', uuid = ''] = batch.split('|');
      intakeBodies.push(
        `{"trace-id":"${uuid}","aggregation-id":"${id}","batch-id":"${uuid}","date":"${slashed(time)}"}`,
      );
    }

    const total = { ours: 0, oursIncomplete: 0, peers: 0, peersIncomplete: 0, both: 0, untold: 0, late: 0, strays: 0 };
    let [tasks, decidedBefore, batchesInTasks, caughtUp, unheardOf] = [0, 0, 0, 0, 0];
    for (const begin of begins) {
      const end = begin + 3 * HOURS;
      const [from, to] = [textOf(begin), textOf(end)];
      const ours = batchesIn(scene.ingestion, id, 'batch', begin, end, isWhole);
      const peers = batchesIn(scene.peerValidation, id, peer, begin, end, isSigned);
      const told = batchesIn(scene.ownValidation, id, own, begin, end, isSigned);
      const both = peers.ready.filter((batch) => ours.ready.includes(batch));
      const summable = both.filter((batch) => !scene.requireOwnValidation || told.ready.includes(batch));
      const name = `aggregate-${id}-${hyphened(from)}-${hyphened(to)}`;
      const isDecided = markers.has(name) || scene.claims.has(name);
      // Both were there before: a claim without marker is published in this run.
      const list = markers.has(name) ? scene.claims.get(name) : undefined;
      const late = list === undefined ? [] : summable.filter((batch) => !list.includes(claimedItem(batch)));
      if (isDecided) decidedBefore++;
      else if (summable.length > 0) {
        const batches = summable.map((batch) => claimedItem(batch)).join(',');
        aggregateBodies.push(
          `{"trace-id":"?","aggregation-id":"${id}","aggregation-start":"${slashed(from)}","aggregation-end":"${slashed(to)}","batches":[${batches}]}`,
        );
        tasks++;
        batchesInTasks += summable.length;
        if (begin < latest) caughtUp++;
      } else if (both.length > 0) unheardOf++;
      total.ours += ours.ready.length;
      total.oursIncomplete += ours.incomplete;
      total.peers += peers.ready.length;
      total.peersIncomplete += peers.incomplete;
      total.both += both.length;
      total.untold += both.length - summable.length;
      total.late += late.length;
      // Windows that are told are listed for themselves.
      total.strays += (scene.override === undefined ? 0 : ours.strays) + peers.strays;
      total.strays += scene.requireOwnValidation ? told.strays : 0;
    }
    failed.push(...Array.from({ length: unheardOf }, () => id));
    counts.push({
      aggregation_id: id,
      window_begin: slashed(textOf(begins[0]!)),
      window_end: slashed(textOf(latest + 3 * HOURS)),
      ingestions_found: intake.ready.length,
      ingestions_incomplete: intake.incomplete,
      intake_tasks_scheduled: fresh.length,
      intake_tasks_skipped_due_to_marker: intake.ready.length - fresh.length,
      intake_batches_missed: missed.length,
      claims_republished: unpublished.length,
      aggregate_ingestions_found: total.ours,
      aggregate_ingestions_incomplete: total.oursIncomplete,
      peer_validations_found: total.peers,
      peer_validations_incomplete: total.peersIncomplete,
      peer_validations_missing: total.ours - total.both,
      batches_without_own_validation: total.untold,
      batches_late: total.late,
      aggregation_tasks_scheduled: tasks,
      aggregation_tasks_skipped_due_to_marker: decidedBefore,
      batches_in_aggregation: batchesInTasks,
      windows_caught_up: caughtUp,
      stray_names: looked.strays + total.strays,
    });
  }
  return { intakeBodies, aggregateBodies, counts, failed };
}

// Ids that begin with each other, that look like what stands behind one, and whose lease looks like another's claim.
const AGGREGATIONS = ['a', 'a-b', 'a-2024-11-20', 'a-2024-11-20-12-00', 'aggregate-a', 'aggregate-a-b'];
const FOLDERS = [...AGGREGATIONS, 'task-markers', 'task-claims'];
const IDS = [1, 2, 3].map((n) => `${n}7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e`);
/** At and around the bounds of both intervals at 16:00 and half a minute later, and within them. */
const TIMES = [
  ...['2024-11-20T08:59', '2024-11-20T09:00', '2024-11-20T11:59', '2024-11-20T12:00', '2024-11-20T13:30'],
  ...['2024-11-20T14:59', '2024-11-20T15:00', '2024-11-20T15:01', '2024-11-20T15:59', '2024-11-20T16:00'],
  ...['2024-11-21T15:59', '2024-11-21T16:00', '2024-11-21T16:01'],
];
const WINDOWS = [
  ['2024-11-20T09:00', '2024-11-20T12:00'],
  ['2024-11-20T12:00', '2024-11-20T15:00'],
  ['2024-11-18T00:00', '2024-11-25T00:00'],
] as const;

/** Of few batches, so that they meet. */
function batchNames(infixes: readonly string[]): fc.Arbitrary<string[]> {
  const parts = fc.constantFrom(['', '.avro', '.sig'], ['', '.avro', '.sig'], ['.sig'], ['', '.avro'], ['', '.sig']);
  const batch = fc.tuple(
    fc.constantFrom(...FOLDERS),
    fc.constantFrom(...TIMES),
    fc.constantFrom(...IDS),
    fc.constantFrom(...infixes),
    parts,
  );
  return batch.map(([folder, time, id, infix, suffixes]) =>
    suffixes.map((suffix) => `${folder}/${slashed(time)}/${id}.${infix}${suffix}`),
  );
}

const strayName = fc
  .tuple(fc.constantFrom(...FOLDERS), fc.constantFrom(...TIMES), fc.constantFrom(...IDS), fc.nat({ max: 8 }))
  .map(([folder, time, id, kind]) => {
    const at = `${folder}/${slashed(time)}`;
    return [
      `${folder}.txt`,
      `${folder}/readme`,
      `${at}/${id.toUpperCase()}.batch`,
      `${at}/${id.replaceAll('-', '')}.batch.sig`,
      `${at}/${id}.batch.tmp`,
      `${at}/x/${id}.batch`,
      `${folder}/${slashed(time.slice(0, 13))}/${id}.batch`,
      `${folder}/${slashed(time).replace('/0', '/')}/${id}.batch`,
      `${folder}/${slashed(time.slice(0, 13))}/60/${id}.validity_0`,
    ][kind]!;
  });

function namesOf(...infixes: readonly string[]): fc.Arbitrary<string[]> {
  const batches = fc.array(batchNames(infixes), { maxLength: 14 });
  return fc
    .tuple(batches, fc.array(strayName, { maxLength: 4 }))
    .map(([names, strays]) => [...names.flat(), ...strays]);
}

const markerNames = fc.array(
  fc.oneof(
    fc
      .tuple(fc.constantFrom(...AGGREGATIONS), fc.constantFrom(...TIMES), fc.constantFrom(...IDS))
      .map(([aggregation, time, id]) => `intake-${aggregation}-${hyphened(time)}-${id}`),
    fc
      .tuple(fc.constantFrom(...AGGREGATIONS), fc.constantFrom(...WINDOWS))
      .map(([aggregation, [from, to]]) => `aggregate-${aggregation}-${hyphened(from)}-${hyphened(to)}`),
  ),
  { maxLength: 12 },
);

const claims = fc
  .array(
    fc.tuple(
      fc.constantFrom(...AGGREGATIONS),
      fc.constantFrom(...WINDOWS),
      fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1 }),
    ),
    { maxLength: 4 },
  )
  .map((all) =>
    all.map(([aggregation, [from, to], ids]): [string, string] => [
      `aggregate-${aggregation}-${hyphened(from)}-${hyphened(to)}`,
      JSON.stringify({
        'trace-id': IDS[0],
        'aggregation-id': aggregation,
        'aggregation-start': slashed(from),
        'aggregation-end': slashed(to),
        batches: ids.map((id, i) => ({ id, time: slashed(TIMES[(i + ids.length) % TIMES.length] ?? from) })),
      }),
    ]),
  )
  .map((entries) => new Map(entries));

const scenes: fc.Arbitrary<Scene> = fc.record({
  now: fc.constantFrom('2024-11-20T16:00:00Z', '2024-11-20T16:00:30Z', '2024-11-20T16:01:00Z'),
  override: fc.option(fc.constantFrom('2024-11-20T12:00Z', '2024-11-20T11:59Z'), { nil: undefined }),
  lookback: fc.constantFrom(1, 1, 2, 3),
  isFirst: fc.boolean(),
  requireOwnValidation: fc.boolean(),
  workers: fc.constantFrom(1, 2, 100),
  ingestion: namesOf('batch', 'batch', 'batch', 'validity_0'),
  peerValidation: namesOf('validity_0', 'validity_1'),
  ownValidation: namesOf('validity_0', 'validity_1'),
  markers: markerNames,
  claims,
});

/** A name can be the folder of others in no storage that we have. */
const without = (names: readonly string[], taken: string): string[] => names.filter((name) => !name.startsWith(taken));

async function prepare(world: World, scene: Scene): Promise<void> {
  await putAll(world.ingestion, scene.ingestion);
  await putAll(world.peerValidation, scene.peerValidation);
  // Strays aside, nobody writes there but the publisher.
  const validations = without(without(scene.ownValidation, MARKER_PREFIX), CLAIM_PREFIX);
  await putAll(world.ownValidation, validations);
  await putAll(
    world.ownValidation,
    scene.markers.map((name) => MARKER_PREFIX + name),
  );
  for (const [name, body] of scene.claims) await world.ownValidation.put(CLAIM_PREFIX + name, Buffer.from(body));
}

/** Runs once; what failed is an answer, too. */
async function publish(world: World, scene: Scene): Promise<Omit<Expected, 'intakeBodies' | 'aggregateBodies'>> {
  const run = newRun();
  const settings = {
    ...SETTINGS,
    server: scene.isFirst ? (0 as const) : (1 as const),
    now: new Date(scene.now),
    override: scene.override === undefined ? undefined : new Date(scene.override),
    lookback: scene.lookback,
    requireOwnValidation: scene.requireOwnValidation,
    maxEnqueueWorkers: scene.workers,
  };
  try {
    await runPublisher(world, settings, run);
  } catch (err) {
    if (!(err instanceof AggregationsFailed)) throw err;
  }
  const counts = run.lines.filter(({ message }) => message === 'aggregation published');
  const failures = run.lines.filter(({ message }) => message === 'aggregation failed');
  expect(failures.filter(({ error_code }) => error_code !== 'E_OWN_VALIDATIONS_MISSING')).toEqual([]);
  return { counts, failed: failures.map(({ aggregation_id }) => String(aggregation_id)) };
}

const TRACE_ID = /"trace-id":"[0-9a-f-]{36}"/;
const withoutTraceIds = (bodies: readonly string[]): string[] =>
  bodies.map((body) => body.replace(TRACE_ID, '"trace-id":"?"'));

describe('a run', () => {
  it('does what the model says, and a second one right after it does nothing', async () => {
    await fc.assert(
      fc.asyncProperty(scenes, async (scene) => {
        const world = new World();
        await prepare(world, scene);
        const expected = expectedOf(scene);

        const { counts, failed } = await publish(world, scene);
        expect(world.intakeTasks.bodies).toEqual(expected.intakeBodies);
        expect(withoutTraceIds(world.aggregateTasks.bodies)).toEqual(withoutTraceIds(expected.aggregateBodies));
        expect(counts).toMatchObject(expected.counts);
        expect(counts).toHaveLength(expected.counts.length);
        expect(failed).toEqual(expected.failed);

        const published = [world.intakeTasks.bodies.length, world.aggregateTasks.bodies.length];
        const kept = await listed(world.ownValidation);
        expect(await publish(world, scene)).toMatchObject({ failed });
        expect([world.intakeTasks.bodies.length, world.aggregateTasks.bodies.length]).toEqual(published);
        expect(await listed(world.ownValidation)).toEqual(kept);
      }),
      { numRuns: 300 },
    );
  });
});
