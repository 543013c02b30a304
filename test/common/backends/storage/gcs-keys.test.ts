import { afterEach, describe, expect, it } from 'vitest';
import { keysOf } from '../../../contract/storage/fixtures.ts';
import { json, ScriptedGcs, type Answer } from './gcs-scripted.ts';

let gcs: ScriptedGcs;
afterEach(() => gcs[Symbol.asyncDispose]());

const page = (names: readonly string[], more: object = {}): Answer =>
  json(200, { ...(names.length > 0 ? { items: names.map((name) => ({ name })) } : {}), ...more });

const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `p/${String(from + i).padStart(5, '0')}`);

describe('a listing', () => {
  it('goes from page to page, each of them when the last is used up', async () => {
    gcs = await ScriptedGcs.start(
      page(names(0, 1000), { nextPageToken: 't/1' }),
      page(names(1000, 2000), { nextPageToken: 't 2' }),
      page(names(2000, 2500)),
    );
    const counted: string[] = [];
    const found: string[] = [];
    const requestsAt: number[] = [];
    for await (const key of gcs.storage({ onRequest: (request) => counted.push(request) }).list({ prefix: '0' })) {
      found.push(key);
      if (found.length % 1000 === 0) requestsAt.push(gcs.requests.length);
    }
    expect(found).toEqual(names(0, 2500).map((name) => name.slice(2)));
    expect(requestsAt).toEqual([1, 2]);
    expect(gcs.requests.map(({ query }) => query.get('pageToken'))).toEqual([null, 't/1', 't 2']);
    expect(counted).toEqual(['list', 'list', 'list']);
    for (const { method, path, query } of gcs.requests) {
      expect({ method, path }).toEqual({ method: 'GET', path: '/storage/v1/b/bucket/o' });
      expect(query.has('maxResults')).toBe(false);
      expect(query.get('fields')).toBe('items(name),nextPageToken');
      expect(query.get('prefix')).toBe('p/0');
      expect(query.has('delimiter')).toBe(false);
    }
  });

  it('asks for no page that the consumer does not need', async () => {
    gcs = await ScriptedGcs.start(page(names(0, 1000), { nextPageToken: 'more' }));
    for await (const key of gcs.storage().list()) if (key === '00999') break;
    expect(gcs.requests).toHaveLength(1);
  });

  it('begins where it is told, relative to the prefix of the location', async () => {
    gcs = await ScriptedGcs.start(page(['p/a/c+d e']));
    expect(await keysOf(gcs.storage().list({ prefix: 'a/', startAt: 'a/c+d' }))).toEqual(['a/c+d e']);
    expect(gcs.requests[0]?.query.get('prefix')).toBe('p/a/');
    expect(gcs.requests[0]?.query.get('startOffset')).toBe('p/a/c+d');
  });

  it('goes on behind a page that is empty, or has nothing for us', async () => {
    gcs = await ScriptedGcs.start(
      page([], { nextPageToken: '1' }),
      page(['p/'], { nextPageToken: '2' }),
      page(['p/k'], { nextPageToken: '3' }),
      page([]),
    );
    expect(await keysOf(gcs.storage().list())).toEqual(['k']);
    expect(gcs.requests).toHaveLength(4);
  });

  it('passes over names that are no keys', async () => {
    gcs = await ScriptedGcs.start(
      page(['p/', 'p/.dsp/x', 'p//a', 'p/a//b', 'p/a/', 'p/a/../b', 'p/a/b', 'p/b\n', 'p/ä']),
    );
    expect(await keysOf(gcs.storage().list())).toEqual(['a/b']);
  });

  it('of a whole bucket has no prefix', async () => {
    gcs = await ScriptedGcs.start(page(['a/b']));
    expect(await keysOf(gcs.storage({}, 'gs://bucket').list())).toEqual(['a/b']);
    expect([...(gcs.requests[0]?.query.keys() ?? [])]).toEqual(['fields']);
  });

  it('fails if something else answers, like a portal', async () => {
    gcs = await ScriptedGcs.start((response) => void response.writeHead(200).end('<html>Log in</html>'));
    await expect(keysOf(gcs.storage().list())).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
  });
});

describe('a folder', () => {
  it('has objects and folders of each page in one order', async () => {
    gcs = await ScriptedGcs.start(
      page(['p/a.txt', 'p/a0'], { prefixes: ['p/a-1/', 'p/a/', 'p/b/'], nextPageToken: '1' }),
      page([], { nextPageToken: '2' }),
      page(['p/c'], { prefixes: ['p/b/', 'p/d/'] }),
    );
    const folder = gcs.storage().listFolder();
    expect(await keysOf(folder)).toEqual(['a-1/', 'a.txt', 'a/', 'a0', 'b/', 'c', 'd/']);
    expect(gcs.requests.map(({ query }) => query.get('delimiter'))).toEqual(['/', '/', '/']);
    expect(gcs.requests[0]?.query.get('fields')).toBe('items(name),prefixes,nextPageToken');
  });

  it('does not show its own placeholder, nor folders without keys', async () => {
    gcs = await ScriptedGcs.start(page(['p/a/', 'p/a/k'], { prefixes: ['p/a//', 'p/a/../', 'p/a/b/'] }));
    expect(await keysOf(gcs.storage().listFolder({ prefix: 'a/' }))).toEqual(['a/b/', 'a/k']);
  });
});
