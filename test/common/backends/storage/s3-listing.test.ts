import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startAfter } from '../../../../common/backends/storage/s3-listing.ts';
import { StorageUnavailable } from '../../../../common/errors.ts';
import { s3Page, scriptedS3 } from '../../../support/scripted-s3.ts';
import { keysOf } from '../../../contract/storage/fixtures.ts';

/** Few characters, so that strings share much; the least and the greatest of keys among them. */
const key = fc.string({ unit: fc.constantFrom(' ', '!', '/', '0', 'a', '}', '~'), maxLength: 5 });
const bound = fc.string({ unit: fc.constantFrom('\0', '\x1f', ' ', '!', '/', 'a', '~', '\x7f', 'ä'), maxLength: 5 });

describe('startAfter', () => {
  it('has exactly the keys behind it that are at or after the start', () => {
    fc.assert(
      fc.property(fc.oneof(key, bound), fc.array(key), (startAt, keys) => {
        const after = startAfter(startAt);
        const all = [...keys, startAt, `${startAt} `, startAt.slice(0, -1), `${startAt.slice(0, -1)}~~~`];
        for (const each of all.filter((each) => each !== '' && /^[ -~]*$/.test(each))) {
          expect(after === undefined || each > after, `${JSON.stringify(each)} after ${JSON.stringify(after)}`).toBe(
            each >= startAt,
          );
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['', undefined],
    [' ', undefined],
    ['a', '`\x7f'],
    ['a ', 'a'],
    ['a/b', 'a/a\x7f'],
    ['a\0b', 'a'],
    ['aä', 'a\x7f'],
  ])('of %j is %j', (startAt, after) => {
    expect(startAfter(startAt)).toBe(after);
  });
});

describe('a listing of S3', () => {
  const NAMES = Array.from({ length: 2500 }, (_, i) => `d/${String(i).padStart(4, '0')}`);

  it('is read page by page, each when it is needed', async () => {
    await using s3 = await scriptedS3(({ query }) => {
      const from = Number(query.get('continuation-token') ?? 0);
      const to = from + Number(query.get('max-keys'));
      return s3Page(NAMES.slice(from, to), to < NAMES.length ? { token: String(to) } : {});
    });
    const keys: string[] = [];
    for await (const key of s3.storage.list({ prefix: 'd/' })) {
      keys.push(key);
      expect(s3.requests).toHaveLength(Math.ceil(keys.length / 1000));
    }
    expect(keys).toEqual(NAMES);
    expect(s3.counted).toEqual(['list', 'list', 'list']);
    for (const { path, query } of s3.requests) {
      expect(path).toBe('/bucket/');
      expect(query.get('prefix')).toBe('d/');
    }
  });

  it('goes on behind a page that has nothing', async () => {
    const pages = [s3Page(['a'], { token: '1' }), s3Page([], { token: '2' }), s3Page(['b'])];
    await using s3 = await scriptedS3((_, n) => pages[n] ?? 'reset');
    expect(await keysOf(s3.storage.list())).toEqual(['a', 'b']);
  });

  it.each(['', 'same'])('neither looks complete nor turns in circles if the next page is always %j', async (token) => {
    const page = s3Page(['a'], { token });
    await using s3 = await scriptedS3(() => page);
    await expect(keysOf(s3.storage.list())).rejects.toThrow(StorageUnavailable);
  });

  it.each([true, false])('has names with odd characters, encoded or not (%s)', async (encode) => {
    const names = [' a', '%41', 'a b', 'a+b', 'a%2Bb', 'a%', '~'];
    await using s3 = await scriptedS3(() => s3Page(names, { encode }));
    expect(await keysOf(s3.storage.list())).toEqual(names);
    expect(s3.requests[0]?.query.get('encoding-type')).toBe('url');
  });

  it('passes names over that are no keys', async () => {
    const pages = [s3Page(['.dsp/x', '/a', 'a//b', 'b/../c', 'c\x01', 'd\\e', 'ä', 'z'])];
    await using s3 = await scriptedS3((_, n) => pages[n] ?? s3Page(['.dsp/', '/', 'a//', 'ä/', 'a', 'b/']));
    expect(await keysOf(s3.storage.list())).toEqual(['z']);
    expect(await keysOf(s3.storage.listFolder())).toEqual(['a', 'b/']);
  });

  it('passes a name over that is no UTF-8', async () => {
    const body =
      '<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%ff</Key></Contents></ListBucketResult>';
    await using s3 = await scriptedS3(() => ({ body }));
    expect(await keysOf(s3.storage.list())).toEqual([]);
  });

  it('of a folder merges keys and folders', async () => {
    const pages = [s3Page(['a-1/', 'a.txt', 'a/'], { token: 't' }), s3Page(['a0', 'b/', 'b0'])];
    await using s3 = await scriptedS3((_, n) => pages[n] ?? 'reset');
    expect(await keysOf(s3.storage.listFolder())).toEqual(['a-1/', 'a.txt', 'a/', 'a0', 'b/', 'b0']);
    expect(s3.requests.map(({ query }) => query.get('delimiter'))).toEqual(['/', '/']);
  });

  it('is relative to the prefix of the storage', async () => {
    const location = 's3://eu-west-1/bucket/p';
    const page = s3Page(['p/a/0', 'p/a/1', 'p/a/2']);
    await using s3 = await scriptedS3((_, n) => (n === 0 ? page : s3Page(['p/a', 'p/b/'])), { location });
    expect(await keysOf(s3.storage.list({ prefix: 'a/', startAt: 'a/1' }))).toEqual(['a/1', 'a/2']);
    expect(await keysOf(s3.storage.listFolder())).toEqual(['a', 'b/']);
    const queries = s3.requests.map(({ query }) => [query.get('prefix'), query.get('start-after')]);
    expect(queries).toEqual([
      ['p/a/', 'p/a/0\x7f'],
      ['p/', null],
    ]);
  });

  it.each([
    { what: 'a start behind the prefix', prefix: 'a/', startAt: 'b' },
    { what: 'a start right behind the prefix', prefix: 'a/', startAt: 'a0' },
    { what: 'a parent', prefix: '../' },
    { what: 'an empty segment', prefix: '/' },
    { what: 'the reserved folder', prefix: '.dsp/' },
    { what: 'a prefix longer than keys', prefix: 'a'.repeat(1025) },
  ])('with $what is empty without asking', async ({ prefix, startAt = '' }) => {
    await using s3 = await scriptedS3(() => s3Page(['a/b']));
    expect(await keysOf(s3.storage.list({ prefix, startAt }))).toEqual([]);
    expect(s3.requests).toEqual([]);
  });

  it.each([
    ['a/', ''],
    ['a/', 'a'],
    ['a/', 'a/'],
    ['b', 'a/x'],
  ])('with prefix %j starts at it, from %j', async (prefix, startAt) => {
    await using s3 = await scriptedS3(() => s3Page([]));
    await keysOf(s3.storage.list({ prefix, startAt }));
    expect(s3.requests[0]?.query.has('start-after')).toBe(false);
  });
});
