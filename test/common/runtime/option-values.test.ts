import * as fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { OptionSpec } from '../../../common/runtime/option-spec.ts';
import {
  batchTime,
  choice,
  compactTime,
  duration,
  flag,
  instant,
  integer,
  list,
  number,
  storageLocation,
  text,
  uuid,
} from '../../../common/runtime/option-values.ts';
import { readOptions, type Args } from '../../../common/runtime/options.ts';

const SENTENCE = 'for the test';
const ID = 'b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e';

const bucket = (given: string): { readonly bucket: string } => {
  if (!given.startsWith('s3://')) throw new Error('no s3:// in front', { cause: new Error('told by the parser') });
  return { bucket: given.slice(5) };
};

const makers = {
  text: text({ describe: SENTENCE, example: 'kittens' }),
  uuid: uuid({ describe: SENTENCE }),
  batchTime: batchTime({ describe: SENTENCE }),
  compactTime: compactTime({ describe: SENTENCE }),
  instant: instant({ describe: SENTENCE }),
  duration: duration(0, { describe: SENTENCE }),
  period: duration(60_000, { describe: SENTENCE, example: '8h' }),
  port: integer(1, 65_535, { describe: SENTENCE, example: '8080' }),
  millis: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, { describe: SENTENCE, example: '0' }),
  number: number({ describe: SENTENCE, example: '0.11' }),
  flag: flag({ describe: SENTENCE }),
  choice: choice(['gcp-pubsub', 'aws-sqs'], { describe: SENTENCE }),
  list: list({ describe: SENTENCE, example: 'a,b' }),
  storage: storageLocation(bucket, { describe: SENTENCE, example: 's3://bucket' }),
} satisfies Record<string, OptionSpec<unknown>>;
type Maker = keyof typeof makers;

const read = (maker: Maker, given: string): unknown =>
  readOptions({ x: makers[maker] }, { commandLine: new Map([['x', [given]]]), env: {}, envPrefix: 'T' }).x;

it.each<[Maker, string, unknown]>([
  ['text', 'kittens seen', 'kittens seen'],
  ['text', 'AbC+/==', 'AbC+/=='],
  ['text', '--dashes', '--dashes'],
  ['text', '"quoted"', '"quoted"'],
  ['text', ' ', ' '],
  ['uuid', ID, ID],
  ['uuid', ID.toUpperCase(), ID],
  ['uuid', ID.replaceAll('-', ''), ID],
  ['uuid', `urn:uuid:${ID}`, ID],
  ['batchTime', '2026/11/20/10/05', new Date('2026-11-20T10:05:00Z')],
  ['batchTime', '2024/2/29/0/0', new Date('2024-02-29T00:00:00Z')],
  ['compactTime', '202611201005', new Date('2026-11-20T10:05:00Z')],
  ['instant', '2026-11-20T10:05:07+01:00', new Date('2026-11-20T09:05:07Z')],
  ['instant', '202611201005', new Date('2026-11-20T10:05:00Z')],
  ['duration', '1h30m', 5_400_000],
  ['duration', '0', 0],
  ['period', '1m', 60_000],
  ['port', '1', 1],
  ['port', '65535', 65_535],
  ['port', '+8080', 8080],
  ['port', '007', 7],
  ['millis', '-5', -5],
  ['millis', '-0', 0],
  ['millis', '9007199254740991', 9_007_199_254_740_991],
  ['number', '0.11', 0.11],
  ['number', '-1e-3', -0.001],
  ['number', '.5', 0.5],
  ['number', '12', 12],
  ['flag', 'true', true],
  ['flag', 'false', false],
  ['choice', 'aws-sqs', 'aws-sqs'],
  ['list', 'a', ['a']],
  ['list', 'AbC+/==,-x=\n', ['AbC+/==', '-x=']],
  ['storage', 's3://bucket', { bucket: 'bucket' }],
])('%s takes %j', (maker, given, want) => {
  expect(read(maker, given)).toEqual(want);
});

it.each<[Maker, string, string]>([
  ['text', '', '--x: "" is empty; example: --x kittens'],
  ['uuid', 'kittens', '--x: "kittens" is no UUID; example: --x b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e'],
  [
    'batchTime',
    '2026-13-01',
    '--x: "2026-13-01" is no time of the form YYYY/MM/DD/hh/mm; example: --x 2026/11/20/10/00',
  ],
  ['batchTime', '2026/02/29/00/00', 'is no time of the form'],
  ['compactTime', '202602300000', '--x: "202602300000" is no time of the form YYYYMMDDhhmm; example: --x 202611201000'],
  ['compactTime', '2026-11-20T10:00:00Z', 'is no time'],
  [
    'instant',
    'now',
    '--x: "now" is no time of the form YYYY-MM-DDThh:mm:ssZ or YYYYMMDDhhmm; example: --x 2026-11-20T10:00:00Z',
  ],
  ['duration', '3', '--x: "3" is no duration like 3h, 1h30m or 300ms; example: --x 3h'],
  ['duration', '-1h', '--x: "-1h" is negative; example: --x 3h'],
  ['duration', '1us', '--x: "1us" is no whole number of milliseconds; example: --x 3h'],
  ['period', '59s', '--x: "59s" is less than 1m; example: --x 8h'],
  ['port', '0', '--x: "0" is no integer from 1 to 65535; example: --x 8080'],
  ['port', '65536', 'is no integer from 1 to 65535'],
  ['port', '1.5', 'is no integer'],
  ['port', '1e3', 'is no integer'],
  ['port', '0x10', 'is no integer'],
  ['port', '', 'is no integer'],
  ['port', ' 1', 'is no integer'],
  ['millis', '9007199254740993', 'is no integer from -9007199254740991 to 9007199254740991'],
  ['number', 'abc', '--x: "abc" is no finite decimal number; example: --x 0.11'],
  ['number', 'NaN', 'is no finite'],
  ['number', 'Infinity', 'is no finite'],
  ['number', '1e999', 'is no finite'],
  ['number', '0x10', 'is no finite'],
  ['number', '', 'is no finite'],
  ['flag', 'yes', '--x: "yes" is neither true nor false; example: --x true'],
  ['flag', 'TRUE', 'is neither'],
  ['flag', '1', 'is neither'],
  ['flag', '', 'is neither'],
  ['choice', 'kafka', '--x: "kafka" is none of gcp-pubsub, aws-sqs; example: --x gcp-pubsub'],
  ['choice', 'AWS-SQS', 'is none of'],
  ['list', 'a,,b', '--x: "a,,b" has an empty item; example: --x a,b'],
  ['list', '', 'has an empty item'],
  [
    'storage',
    'bucket',
    '--x: "bucket" is no storage location: no s3:// in front: told by the parser; example: --x s3://bucket',
  ],
  ['storage', '', '--x: "" is empty; example: --x s3://bucket'],
])('%s refuses %j', (maker, given, message) => {
  expect(() => read(maker, given)).toThrow(message);
});

it('takes every integer of the range and none beside it', () => {
  const spec = { n: integer(-1000, 1000, { describe: SENTENCE, required: true }) };
  const parse = (n: number): number =>
    readOptions(spec, { commandLine: new Map([['n', [String(n)]]]), env: {}, envPrefix: 'T' }).n;
  fc.assert(fc.property(fc.integer({ min: -1000, max: 1000 }), (n) => parse(n) === n));
  const outside = fc.integer().filter((n) => Math.abs(n) > 1000);
  fc.assert(
    fc.property(outside, (n) => {
      expect(() => parse(n)).toThrow('is no integer');
    }),
  );
});

it.each([
  [duration(0, { describe: SENTENCE, default: 5_400_000 }), 'duration', '1h30m'],
  [duration(60_000, { describe: SENTENCE, default: 10_800_000 }), 'duration, at least 1m', '3h'],
  [compactTime({ describe: SENTENCE, default: new Date('2026-11-20T10:05:00Z') }), 'YYYYMMDDhhmm', '202611201005'],
  [
    instant({ describe: SENTENCE, default: new Date('2026-11-20T10:05:00Z') }),
    'YYYY-MM-DDThh:mm:ssZ or YYYYMMDDhhmm',
    '2026-11-20T10:05:00.000Z',
  ],
  [flag({ describe: SENTENCE, default: false, bare: true }), 'true or false, alone: true', 'false'],
])('help shows the form %#', (spec, form, defaultText) => {
  expect(spec).toMatchObject({ form, defaultText });
});

describe('the type of the arguments follows from the table', () => {
  const table = {
    plain: text({ describe: SENTENCE, example: 'x' }),
    required: batchTime({ describe: SENTENCE, required: true }),
    withDefault: integer(0, 9, { describe: SENTENCE, default: 5 }),
    repeated: uuid({ describe: SENTENCE, repeat: true }),
    repeatedRequired: uuid({ describe: SENTENCE, repeat: true, required: true }),
    list: list({ describe: SENTENCE, required: true, secret: true, example: 'x' }),
    kind: choice(['a', 'b'], { describe: SENTENCE, required: true }),
    optionalKind: choice(['a', 'b'], { describe: SENTENCE }),
    is: flag({ describe: SENTENCE, default: false }),
    bare: flag({ describe: SENTENCE, bare: true }),
    period: duration(0, { describe: SENTENCE, required: true }),
    asOf: instant({ describe: SENTENCE }),
    override: compactTime({ describe: SENTENCE, default: new Date(0) }),
    where: storageLocation(bucket, { describe: SENTENCE, required: true, example: 's3://bucket' }),
  };

  it('required, optional, default, repeatable', () => {
    expectTypeOf<Args<typeof table>>().toEqualTypeOf<{
      readonly plain: string | undefined;
      readonly required: Date;
      readonly withDefault: number;
      readonly repeated: readonly string[];
      readonly repeatedRequired: readonly string[];
      readonly list: readonly string[];
      readonly kind: 'a' | 'b';
      readonly optionalKind: 'a' | 'b' | undefined;
      readonly is: boolean;
      readonly bare: boolean | undefined;
      readonly period: number;
      readonly asOf: Date | undefined;
      readonly override: Date;
      readonly where: { readonly bucket: string };
    }>();
  });

  it('refuses settings that contradict each other', () => {
    // @ts-expect-error a default of a required option would never apply
    text({ describe: SENTENCE, example: 'x', required: true, default: 'y' });
    // @ts-expect-error the default is none of the choices
    choice(['a', 'b'], { describe: SENTENCE, default: 'c' });
    // @ts-expect-error no text is typical, so an example is needed
    text({ describe: SENTENCE });
  });
});
