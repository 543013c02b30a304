import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregateClaim } from '../../../common/domain/marker.ts';
import {
  decodeAggregateMessage,
  decodeAggregateTask,
  decodeIntakeTask,
  encodeAggregateReference,
  encodeAggregateTask,
  encodeIntakeTask,
  MAX_TASK_BYTES,
  resolveReference,
  type AggregateTaskReference,
} from '../../../common/domain/task.ts';
import { TaskMalformed } from '../../../common/errors.ts';

const TRACE_ID = 'd4ea65d0-03d7-4684-9f85-58a628518867';
const BATCH_ID = '0f0e0d0c-0b0a-4908-8706-050403020100';

const INTAKE = {
  traceId: TRACE_ID,
  aggregationId: 'kittens-seen',
  batch: { id: BATCH_ID, time: new Date('2021-01-02T03:04Z') },
};
const INTAKE_TEXT = `{"trace-id":"${TRACE_ID}","aggregation-id":"kittens-seen","batch-id":"${BATCH_ID}","date":"2021/01/02/03/04"}`;

const AGGREGATE = {
  traceId: TRACE_ID,
  aggregationId: 'kittens-seen',
  window: { begin: new Date('2021-01-02T03:00Z'), end: new Date('2021-01-02T06:00Z') },
  batches: [
    { id: BATCH_ID, time: new Date('2021-01-02T03:04Z') },
    { id: TRACE_ID, time: new Date('2021-01-02T05:59Z') },
  ],
};
const AGGREGATE_TEXT =
  `{"trace-id":"${TRACE_ID}","aggregation-id":"kittens-seen",` +
  '"aggregation-start":"2021/01/02/03/00","aggregation-end":"2021/01/02/06/00",' +
  `"batches":[{"id":"${BATCH_ID}","time":"2021/01/02/03/04"},{"id":"${TRACE_ID}","time":"2021/01/02/05/59"}]}`;

const CLAIM_KEY = 'task-claims/aggregate-kittens-seen-2021-01-02-03-00-2021-01-02-06-00';
const CLAIM_SHA256 = createHash('sha256').update(AGGREGATE_TEXT).digest('hex');
const REFERENCE: AggregateTaskReference = {
  traceId: TRACE_ID,
  aggregationId: 'kittens-seen',
  window: AGGREGATE.window,
  batchesObject: CLAIM_KEY,
  batchesSha256: CLAIM_SHA256,
};
const REFERENCE_TEXT =
  `{"trace-id":"${TRACE_ID}","aggregation-id":"kittens-seen",` +
  '"aggregation-start":"2021/01/02/03/00","aggregation-end":"2021/01/02/06/00",' +
  `"batches":[],"batches-object":"${CLAIM_KEY}","batches-sha256":"${CLAIM_SHA256}"}`;

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** The message with some fields replaced, or left out if `undefined`. */
const changed = (text: string, fields: Readonly<Record<string, unknown>>): Uint8Array =>
  bytes(JSON.stringify({ ...(JSON.parse(text) as object), ...fields }));

describe('a message', () => {
  it('is exactly the text of the protocol', () => {
    expect(encodeIntakeTask(INTAKE)).toBe(INTAKE_TEXT);
    expect(encodeAggregateTask(AGGREGATE)).toBe(AGGREGATE_TEXT);
    expect(encodeAggregateTask({ ...AGGREGATE, batches: [] })).toContain('"batches":[]}');
    expect(encodeAggregateReference(AGGREGATE, CLAIM_KEY, bytes(AGGREGATE_TEXT))).toBe(REFERENCE_TEXT);
  });

  it('reads back as the task', () => {
    expect(decodeIntakeTask(bytes(INTAKE_TEXT))).toEqual(INTAKE);
    expect(decodeAggregateTask(bytes(AGGREGATE_TEXT))).toEqual(AGGREGATE);
    expect(decodeAggregateMessage(bytes(AGGREGATE_TEXT))).toEqual(AGGREGATE);
    expect(decodeAggregateMessage(bytes(REFERENCE_TEXT))).toEqual(REFERENCE);
    expect(resolveReference(REFERENCE, bytes(AGGREGATE_TEXT))).toEqual(AGGREGATE);
  });

  const ids = fc.uuid();
  const times = fc.integer({ min: 0, max: 4_000_000_000 }).map((minute) => new Date(minute * 60_000));
  const aggregationIds = fc
    .stringMatching(/^[ -~]{1,40}$/)
    .filter((id) => !/[/\\]/.test(id) && id !== '.' && id !== '..');
  const batches = fc.record({ id: ids, time: times });

  it('reads back as the task, whatever that is', () => {
    const intakes = fc.record({ traceId: ids, aggregationId: aggregationIds, batch: batches });
    fc.assert(
      fc.property(intakes, (task) => {
        expect(decodeIntakeTask(bytes(encodeIntakeTask(task)))).toEqual(task);
      }),
    );
    const windows = fc
      .tuple(times, fc.integer({ min: 1, max: 10_000 }))
      .map(([begin, minutes]) => ({ begin, end: new Date(begin.getTime() + minutes * 60_000) }));
    const aggregates = fc.record({
      traceId: ids,
      aggregationId: aggregationIds,
      window: windows,
      batches: fc.array(batches),
    });
    fc.assert(
      fc.property(aggregates, (task) => {
        const whole = bytes(encodeAggregateTask(task));
        expect(decodeAggregateTask(whole)).toEqual(task);
        expect(decodeAggregateMessage(whole)).toEqual(task);
        const key = aggregateClaim(task.aggregationId, task.window);
        const reference = decodeAggregateMessage(bytes(encodeAggregateReference(task, key, whole)));
        expect(reference).toMatchObject({ traceId: task.traceId, window: task.window, batchesObject: key });
        // What `toMatchObject` has just seen.
        expect(resolveReference(reference as AggregateTaskReference, whole)).toEqual(task);
      }),
    );
  });
});

describe('reading is as lenient as the reference:', () => {
  it.each([
    ['keys in another order', { date: '2021/01/02/03/04', ...(JSON.parse(INTAKE_TEXT) as object) }],
    ['unknown keys', { ...(JSON.parse(INTAKE_TEXT) as object), version: 2, extra: { deep: [null] } }],
    ['an unpadded time', { ...(JSON.parse(INTAKE_TEXT) as object), date: '2021/1/2/3/4' }],
    ['a UUID in upper case', { ...(JSON.parse(INTAKE_TEXT) as object), 'batch-id': BATCH_ID.toUpperCase() }],
    ['a UUID without hyphens', { ...(JSON.parse(INTAKE_TEXT) as object), 'batch-id': BATCH_ID.replaceAll('-', '') }],
    ['a UUID as a URN', { ...(JSON.parse(INTAKE_TEXT) as object), 'trace-id': `urn:uuid:${TRACE_ID}` }],
  ])('%s', (_, message) => {
    expect(decodeIntakeTask(bytes(JSON.stringify(message, undefined, 2)))).toEqual(INTAKE);
  });

  it('batches in any order, repeated, with unknown keys, and outside the window', () => {
    const batch = { id: BATCH_ID.toUpperCase(), time: '2021/1/1/0/0', size: 3 };
    const read = decodeAggregateTask(changed(AGGREGATE_TEXT, { batches: [batch, batch] }));
    const time = new Date('2021-01-01T00:00Z');
    expect(read.batches).toEqual([
      { id: BATCH_ID, time },
      { id: BATCH_ID, time },
    ]);
  });

  it('no batches at all', () => {
    expect(decodeAggregateTask(changed(AGGREGATE_TEXT, { batches: [] })).batches).toEqual([]);
  });
});

const DECODERS = [decodeIntakeTask, decodeAggregateTask, decodeAggregateMessage] as const;

const NO_TASK: readonly [string, Uint8Array, string][] = [
  ['no bytes', bytes(''), 'no JSON'],
  ['no JSON', bytes('task'), 'no JSON'],
  ['JSON cut short', bytes(INTAKE_TEXT.slice(0, -1)), 'no JSON'],
  ['two JSON values', bytes(INTAKE_TEXT + INTAKE_TEXT), 'no JSON'],
  ['no UTF-8', Buffer.concat([bytes('{"a":"'), Buffer.of(0xff), bytes('"}')]), 'no JSON in UTF-8'],
  ['null', bytes('null'), 'no JSON object'],
  ['a number', bytes('1'), 'no JSON object'],
  ['an array', bytes(`[${INTAKE_TEXT}]`), 'no JSON object'],
];

const FAULTY_IDS: readonly [string, Readonly<Record<string, unknown>>, string][] = [
  ['no trace id', { 'trace-id': undefined }, '"trace-id" is missing'],
  ['a trace id that is no text', { 'trace-id': 7 }, '"trace-id" is missing or no text'],
  ['a trace id that is no UUID', { 'trace-id': 'trace' }, '"trace-id" "trace" is no UUID'],
  ['no aggregation id', { 'aggregation-id': undefined }, '"aggregation-id" is missing'],
  ['an aggregation id that is null', { 'aggregation-id': null }, '"aggregation-id" is missing or no text'],
  ['an empty aggregation id', { 'aggregation-id': '' }, '"aggregation-id" "" cannot be part'],
  ['an aggregation id that leads elsewhere', { 'aggregation-id': '..' }, '"aggregation-id" ".." cannot'],
  ['an aggregation id with a slash', { 'aggregation-id': 'a/b' }, '"aggregation-id" "a/b" cannot'],
  ['an aggregation id with a backslash', { 'aggregation-id': 'a\\b' }, '"aggregation-id"'],
  ['an aggregation id that is not ASCII', { 'aggregation-id': 'é' }, '"aggregation-id"'],
  ['an aggregation id with a line break', { 'aggregation-id': 'a\n' }, '"aggregation-id"'],
];

const FAULTY_BATCH: typeof FAULTY_IDS = [
  ['no batch id', { 'batch-id': undefined }, '"batch-id" is missing'],
  ['a batch id that is no UUID', { 'batch-id': `${BATCH_ID}0` }, '"batch-id"'],
  ['no date', { date: undefined }, '"date" is missing'],
  ['a date of another form', { date: '2021-01-02T03:04Z' }, 'is no time of the form YYYY/MM/DD/hh/mm'],
  ['a date that no calendar has', { date: '2021/02/30/03/04' }, '"date" "2021/02/30/03/04" is no time'],
];

const FAULTY_WINDOW: typeof FAULTY_IDS = [
  ['no begin', { 'aggregation-start': undefined }, '"aggregation-start" is missing'],
  ['a begin that is no time', { 'aggregation-start': 'now' }, '"aggregation-start" "now" is no time'],
  ['no end', { 'aggregation-end': undefined }, '"aggregation-end" is missing'],
  ['an end that is no time', { 'aggregation-end': '2021/01/02/06' }, '"aggregation-end"'],
  ['an empty window', { 'aggregation-end': '2021/01/02/03/00' }, '"aggregation-end" is not later'],
  ['a window backwards', { 'aggregation-end': '2021/01/02/02/59' }, '"aggregation-end" is not later'],
  ['no batches', { batches: undefined }, '"batches" is missing'],
  ['batches that are no array', { batches: { id: BATCH_ID } }, '"batches" is missing or no array'],
];

const FAULTY_ITEM: typeof FAULTY_IDS = [
  ['a batch that is no object', { batches: [BATCH_ID] }, 'item 0 of "batches" is no object'],
  ['a batch without id', { batches: [{ time: '2021/01/02/03/04' }] }, '"id" is missing'],
  ['a batch without time', { batches: [{ id: BATCH_ID }] }, '"time" is missing'],
  ['a batch with a bad id', { batches: [{ id: 'x', time: '2021/01/02/03/04' }] }, '"id" "x" is no UUID'],
  ['a batch with a bad time', { batches: [{ id: BATCH_ID, time: 'x' }] }, '"time" "x" is no time'],
];

const OTHER_CLAIMS: typeof FAULTY_IDS = [
  [
    'the claim on another window',
    aggregateClaim('kittens-seen', { ...AGGREGATE.window, end: new Date('2021-01-02T07:00Z') }),
  ],
  ['the claim of another aggregation', aggregateClaim('kittens', AGGREGATE.window)],
  ['its own marker', CLAIM_KEY.replace('task-claims', 'task-markers')],
  ['a batch', `kittens-seen/2021/01/02/03/04/${BATCH_ID}.batch`],
  ['a key that leads elsewhere', `task-claims/../${CLAIM_KEY}`],
  ['a key of another folder', `x/${CLAIM_KEY}`],
  ['a key in other letters', CLAIM_KEY.toUpperCase()],
  ['a key with something behind it', `${CLAIM_KEY} `],
  ['no key', ''],
].map(([name, key]) => [`${name} as object`, { 'batches-object': key }, 'is not the claim on the task']);

const FAULTY_REFERENCE: typeof FAULTY_IDS = [
  ...OTHER_CLAIMS,
  ['no object', { 'batches-object': undefined }, '"batches-object" is missing'],
  ['an object that is null', { 'batches-object': null }, '"batches-object" is missing or no text'],
  ['no digest', { 'batches-sha256': undefined }, '"batches-sha256" is missing'],
  ['a digest that is no text', { 'batches-sha256': [CLAIM_SHA256] }, '"batches-sha256" is missing or no text'],
  ['a digest in upper case', { 'batches-sha256': 'A'.repeat(64) }, 'is no SHA-256'],
  ['a digest too short', { 'batches-sha256': CLAIM_SHA256.slice(1) }, 'is no SHA-256'],
  ['a digest too long', { 'batches-sha256': `${CLAIM_SHA256}0` }, 'is no SHA-256'],
  ['a digest with a line feed', { 'batches-sha256': `${CLAIM_SHA256}\n` }, 'is no SHA-256'],
  ['batches besides', { batches: [{ id: BATCH_ID, time: '2021/01/02/03/04' }] }, '"batches" is not empty'],
];

describe('no task is a message with', () => {
  it.each(NO_TASK)('%s', (_, message, reason) => {
    for (const decode of DECODERS) {
      expect(() => decode(message)).toThrow(TaskMalformed);
      expect(() => decode(message)).toThrow(reason);
    }
  });

  it.each([...FAULTY_IDS, ...FAULTY_BATCH])('%s (intake)', (_, fields, reason) => {
    const decoding = (): unknown => decodeIntakeTask(changed(INTAKE_TEXT, fields));
    expect(decoding).toThrow(TaskMalformed);
    expect(decoding).toThrow(reason);
  });

  it.each([...FAULTY_IDS, ...FAULTY_WINDOW, ...FAULTY_ITEM])('%s (aggregate)', (_, fields, reason) => {
    for (const decode of [decodeAggregateTask, decodeAggregateMessage]) {
      const decoding = (): unknown => decode(changed(AGGREGATE_TEXT, fields));
      expect(decoding).toThrow(TaskMalformed);
      expect(decoding).toThrow(reason);
    }
  });

  it.each([...FAULTY_IDS, ...FAULTY_WINDOW, ...FAULTY_REFERENCE])('%s (reference)', (_, fields, reason) => {
    const decoding = (): unknown => decodeAggregateMessage(changed(REFERENCE_TEXT, fields));
    expect(decoding).toThrow(TaskMalformed);
    expect(decoding).toThrow(reason);
  });

  it('a reference where a whole task must be, or half of one', () => {
    for (const absent of [undefined, 'batches-object', 'batches-sha256']) {
      const message = changed(REFERENCE_TEXT, absent === undefined ? {} : { [absent]: undefined });
      expect(() => decodeAggregateTask(message)).toThrow(TaskMalformed);
      expect(() => decodeAggregateTask(message)).toThrow('must list them itself');
    }
  });

  it('the other kind of task', () => {
    expect(() => decodeIntakeTask(bytes(AGGREGATE_TEXT))).toThrow(TaskMalformed);
    expect(() => decodeAggregateTask(bytes(INTAKE_TEXT))).toThrow(TaskMalformed);
  });

  it('anything at all, and the failure has a name', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes)), (message) => {
        for (const decode of DECODERS) {
          expect(() => decode(message)).toThrow(TaskMalformed);
        }
      }),
    );
  });

  it('a long value, of which the error repeats only the beginning', () => {
    const message = changed(INTAKE_TEXT, { 'batch-id': 'x'.repeat(100_000) });
    expect(() => decodeIntakeTask(message)).toThrow(`"batch-id" "${'x'.repeat(80)}" is no UUID`);
  });
});

describe('a reference', () => {
  /** The object with some fields replaced, and the reference to it that whoever wrote it would publish. */
  const forged = (fields: Readonly<Record<string, unknown>>): [AggregateTaskReference, Uint8Array] => {
    const object = changed(AGGREGATE_TEXT, fields);
    return [{ ...REFERENCE, batchesSha256: createHash('sha256').update(object).digest('hex') }, object];
  };

  it('is not resolved by bytes other than those of its digest, even one', () => {
    for (const object of ['', `${AGGREGATE_TEXT} `, AGGREGATE_TEXT.replace('03/04', '03/05')]) {
      expect(() => resolveReference(REFERENCE, bytes(object))).toThrow(TaskMalformed);
      expect(() => resolveReference(REFERENCE, bytes(object))).toThrow(`${CLAIM_KEY} is not the one`);
    }
  });

  it.each([
    ['another trace id', { 'trace-id': BATCH_ID }, 'holds another task'],
    ['another aggregation', { 'aggregation-id': 'kittens' }, 'holds another task'],
    ['another begin', { 'aggregation-start': '2021/01/02/02/00' }, 'holds another task'],
    ['another end', { 'aggregation-end': '2021/01/02/07/00' }, 'holds another task'],
    ['no batches', { batches: undefined }, 'holds no task'],
    [
      'another reference',
      { batches: [], 'batches-object': CLAIM_KEY, 'batches-sha256': CLAIM_SHA256 },
      'holds no task',
    ],
  ])('is not resolved by an object with %s', (_, fields, reason) => {
    const [reference, object] = forged(fields);
    expect(() => resolveReference(reference, object)).toThrow(TaskMalformed);
    expect(() => resolveReference(reference, object)).toThrow(reason);
  });

  it('is not resolved by an object that is no JSON', () => {
    const object = bytes('batches');
    const batchesSha256 = createHash('sha256').update(object).digest('hex');
    expect(() => resolveReference({ ...REFERENCE, batchesSha256 }, object)).toThrow('holds no task');
  });

  it('is a message of the permitted length, however many batches there are', () => {
    const batches = Array.from({ length: 10_000 }, () => AGGREGATE.batches[0]!); // of two
    const claim = bytes(encodeAggregateTask({ ...AGGREGATE, aggregationId: 'a'.repeat(900), batches }));
    expect(claim.length).toBeGreaterThan(MAX_TASK_BYTES);
    const task = { ...AGGREGATE, aggregationId: 'a'.repeat(900) };
    const message = bytes(encodeAggregateReference(task, aggregateClaim(task.aggregationId, task.window), claim));
    expect(message.length).toBeLessThan(MAX_TASK_BYTES / 100);
    expect(resolveReference(decodeAggregateMessage(message) as AggregateTaskReference, claim).batches).toEqual(batches);
  });
});
