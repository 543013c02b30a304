/** Twenty ways to be no task, with the fields of a task of either kind to begin with. */
type Fields = Readonly<Record<string, unknown>>;
type Malformation = readonly [name: string, body: (task: Fields, i: number) => string | Uint8Array];

const json = (task: Fields, changes: Fields): string => JSON.stringify({ ...task, ...changes });

/** The `i`-th of the task's keys. */
const keyOf = (task: Fields, i: number): string => Object.keys(task)[i % Object.keys(task).length]!;

const nested = (depth: number): string => `${'{"trace-id":'.repeat(depth)}1${'}'.repeat(depth)}`;

/** For either kind of task: the one has a date, the other a window and batches. */
const withTime = (task: Fields, time: unknown): string =>
  json(task, 'date' in task ? { date: time } : { 'aggregation-start': time });

export const MALFORMATIONS: readonly Malformation[] = [
  ['empty', () => ''],
  ['white space', (_, i) => ' \n\t'.repeat(i + 1)],
  ['no UTF-8', (task, i) => Buffer.concat([Buffer.from(json(task, { i })), Buffer.of(0xff)])],
  ['UTF-8 cut short', (task, i) => Buffer.from(`${json(task, { i })}é`).subarray(0, -1)],
  ['UTF-16', (task, i) => Buffer.from(`\ufeff${json(task, { i })}`, 'utf16le')],
  ['two byte order marks', (task, i) => `\ufeff\ufeff${json(task, { i })}`],
  ['no JSON', (_, i) => `hello ${i}`],
  ['JSON cut short', (task, i) => json(task, { i }).slice(0, -1 - i)],
  ['garbage behind it', (task, i) => `${json(task, { i })}${json(task, { i })}`],
  ['an array', (task, i) => JSON.stringify([task, i])],
  ['a scalar', (task, i) => JSON.stringify([null, true, 1, 'text', JSON.stringify(task)][i % 5])],
  ['1 MB of text', (_, i) => JSON.stringify(`${i}`.repeat(1_000_000))],
  ['deeply nested', (_, i) => nested(10_000 + i)],
  ['a key missing', (task, i) => json(task, { [keyOf(task, i)]: undefined, i })],
  ['a key of another type', (task, i) => json(task, { [keyOf(task, i)]: [null, i, true, {}][i % 4] })],
  [
    'a trace id that is none',
    (task, i) => json(task, { 'trace-id': `9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5${'gz-_ '[i % 5]}` }),
  ],
  [
    'a batch id that is none',
    (task, i) =>
      json(task, 'date' in task ? { 'batch-id': `${i}` } : { batches: [{ id: `${i}`, time: '2026/11/20/10/00' }] }),
  ],
  ['a day that is none', (task, i) => withTime(task, `2026/02/3${i % 10}/10/00`)],
  [
    'an aggregation id that is no name',
    (task, i) =>
      json(task, { 'aggregation-id': ['a/b', '..', '.', '', '../../x', 'a\\b', 'a\0', 'a\n', 'é', '/'][i % 10] }),
  ],
  [
    'batches that are none, or a time of another form',
    (task, i) =>
      'date' in task
        ? withTime(task, `2026-11-20T10:0${i % 10}:00Z`)
        : json(task, { batches: [null, {}, 'x', [1], [null], [{}], [[]], [{ id: 1, time: 2 }], 7, [task]][i % 10] }),
  ],
];

/** `count` of each. */
export function malformedMessages(task: Fields, count: number): (string | Uint8Array)[] {
  return MALFORMATIONS.flatMap(([, body]) => Array.from({ length: count }, (_, i) => body(task, i)));
}
