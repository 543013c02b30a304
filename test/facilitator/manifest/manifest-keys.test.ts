import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CachedManifest } from '../../../facilitator/manifest/cached-manifest.ts';
import { parseIngestorManifest, type IngestorManifest } from '../../../facilitator/manifest/kinds.ts';
import { ManifestKeySource } from '../../../facilitator/manifest/manifest-keys.ts';
import { ingestorManifest } from '../../../facilitator/manifest/manifests.ts';
import { FETCHING, inTurn, manifestServer, status, type ManifestServer } from './manifest-server.ts';
import { FUTURE, ingestor, json, KEY, newKey } from './manifests.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let server: ManifestServer;
let now: number;
let lines: Record<string, unknown>[];
let manifest: CachedManifest<IngestorManifest>;
let keys: ManifestKeySource;

const clock = (): Date => new Date(now);
const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as never) });
const settings = { fetching: FETCHING, clock, log };
const entry = (pem = KEY.pem, expiration = FUTURE): object => ({ 'public-key': pem, expiration });
const serving = (published: Record<string, unknown>, headers = {}): ReturnType<typeof status> =>
  status(200, json(ingestor(published)), headers);
const messages = (): unknown[] => lines.map(({ msg }) => msg);
const found = async (identifier: string): Promise<boolean> => (await keys.find(identifier)) !== undefined;

beforeEach(async () => {
  server = await manifestServer(serving({ k1: entry() }, { etag: '"1"' }));
  now = Date.parse('2026-11-21T10:00:00Z');
  lines = [];
  manifest = ingestorManifest(server.base, 'us-ct', settings);
  keys = new ManifestKeySource(manifest, { party: 'ingestor', expiredKeyGraceMs: 10 * DAY, clock, log });
});
afterEach(() => server[Symbol.asyncDispose]());

describe('the cache', () => {
  it('fetches once for all who ask within 5 minutes, and at the same time', async () => {
    const all = await Promise.all([keys.find('k1'), keys.find('k1'), keys.find('k1')]);
    expect(all.map((key) => key?.equals(KEY.publicKey))).toEqual([true, true, true]);
    now += 5 * MINUTE - 1;
    await keys.find('k1');
    expect(server.requests).toHaveLength(1);
    expect(keys.origin).toBe(`${server.base}/global-manifest.json`);
  });

  it('then asks whether it has changed, and counts the 5 minutes anew', async () => {
    await keys.find('k1');
    server.answer = status(304);
    now += 5 * MINUTE;
    expect(await found('k1')).toBe(true);
    expect(server.requests.at(-1)?.headers['if-none-match']).toBe('"1"');
    now += 5 * MINUTE - 1;
    await keys.find('k1');
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    ['max-age=60', MINUTE],
    ['max-age=86400', 5 * MINUTE],
    ['no-cache', 10_000],
    ['max-age=0', 10_000],
  ])('with Cache-Control %s asks again after %d ms', async (cacheControl, ageMs) => {
    server.answer = serving({ k1: entry() }, { 'cache-control': cacheControl });
    await keys.find('k1');
    now += ageMs - 1;
    await keys.find('k1');
    expect(server.requests).toHaveLength(1);
    now += 1;
    await keys.find('k1');
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    ['fails', status(503), 'E_MANIFEST_UNAVAILABLE'],
    ['has lost it', status(404), 'E_MANIFEST_UNAVAILABLE'],
    ['has a broken one', status(200, '{'), 'E_MANIFEST'],
  ])('keeps the last good copy for a day while the server %s, with a warning', async (_name, answer, code) => {
    await keys.find('k1');
    server.answer = answer;
    now += 5 * MINUTE;
    expect(await found('k1')).toBe(true);
    expect(lines.at(-1)).toMatchObject({ level: 40, error_code: code, manifest_age_ms: 5 * MINUTE });
    const asked = server.requests.length;
    now += 29_999;
    expect(await found('k1')).toBe(true);
    expect(server.requests).toHaveLength(asked);
    now += DAY;
    await expect(keys.find('k1')).rejects.toMatchObject({ code, fate: 'retry' });
    server.answer = serving({ k1: entry() });
    expect(await found('k1')).toBe(true);
  });

  it('has nothing to fall back on at first', async () => {
    server.answer = status(503);
    await expect(keys.find('k1')).rejects.toMatchObject({ code: 'E_MANIFEST_UNAVAILABLE' });
  });

  it('lets one who gives up go, but not those who wait with them', async () => {
    let answerNow = (): void => {};
    const arrived = new Promise<void>((resolve) => {
      server.answer = (response, request) => {
        answerNow = () => serving({ k1: entry() })(response, request);
        resolve();
      };
    });
    const stop = new AbortController();
    const impatient = keys.find('k1', stop.signal);
    const patient = keys.find('k1');
    await arrived;
    stop.abort(new Error('lease lost'));
    await expect(impatient).rejects.toThrow('lease lost');
    answerNow();
    expect((await patient)?.equals(KEY.publicKey)).toBe(true);
  });
});

describe('the ingestor’s manifest', () => {
  const byPath =
    (answers: Readonly<Record<string, ReturnType<typeof status>>>): ReturnType<typeof status> =>
    (response, request) =>
      (answers[request.path] ?? status(404))(response, request);

  it.each([
    ['is missing', status(404)],
    ['cannot be had', status(403)],
    ['fails', status(500)],
  ])('is the instance’s own where the one for all %s, with a warning', async (_name, answer) => {
    server.answer = byPath({ '/global-manifest.json': answer, '/us-ct-manifest.json': serving({ k2: entry() }) });
    expect(await found('k2')).toBe(true);
    expect(keys.origin).toBe(`${server.base}/us-ct-manifest.json`);
    expect(lines[0]).toMatchObject({ level: 40, manifest_url: `${server.base}/global-manifest.json` });
  });

  it('has no stand-in where it is invalid', async () => {
    server.answer = byPath({ '/global-manifest.json': status(200, '{'), '/us-ct-manifest.json': serving({}) });
    await expect(keys.find('k1')).rejects.toMatchObject({ code: 'E_MANIFEST' });
    expect(server.requests).toHaveLength(1);
  });

  it('is not given up for another because its server fails for a while', async () => {
    await keys.find('k1');
    server.answer = byPath({ '/global-manifest.json': status(500), '/us-ct-manifest.json': serving({ k2: entry() }) });
    now += 5 * MINUTE;
    expect(await found('k1')).toBe(true);
    expect(server.requests.map(({ path }) => path)).not.toContain('/us-ct-manifest.json');
  });

  it('is named in both places if it is in neither', async () => {
    server.answer = status(404);
    await expect(keys.find('k1')).rejects.toThrow(
      `there is no ${server.base}/global-manifest.json; there is no ${server.base}/us-ct-manifest.json`,
    );
  });
});

describe('a key', () => {
  it('that is unknown is looked for in a manifest that is fetched anew, once', async () => {
    await keys.find('k1');
    now += 1000;
    server.answer = serving({ k1: entry(), k2: entry() });
    expect(await found('k2')).toBe(true);
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]?.headers).toMatchObject({ 'cache-control': 'no-cache' });
    expect(server.requests[1]?.headers['if-none-match']).toBeUndefined();
  });

  it('that is still unknown then is unknown', async () => {
    await keys.find('k1');
    now += 1000;
    expect(await keys.find('k3')).toBeUndefined();
    expect(server.requests).toHaveLength(2);
  });

  it('is not looked for twice in what was fetched for it', async () => {
    expect(await keys.find('k3')).toBeUndefined();
    expect(server.requests).toHaveLength(1);
  });

  it('does not count as unknown while that cannot be made sure of, and others stay known', async () => {
    await keys.find('k1');
    now += 1000;
    server.answer = status(500);
    await expect(keys.find('k2')).rejects.toMatchObject({ code: 'E_MANIFEST_UNAVAILABLE', fate: 'retry' });
    expect(await found('k1')).toBe(true);
  });

  it('that cannot be read is the manifest’s fault, and spoils no other', async () => {
    server.answer = serving({ k1: entry(), bad: entry('x') });
    expect(await found('k1')).toBe(true);
    await expect(keys.find('bad')).rejects.toMatchObject({
      code: 'E_MANIFEST',
      message: `${server.base}/global-manifest.json: batch-signing-public-keys."bad".public-key is no PEM of a PUBLIC KEY`,
    });
  });

  it('that has expired counts, with one warning for each confirmation of the manifest', async () => {
    server.answer = serving({ k1: entry(KEY.pem, '2026-11-21T09:59:59Z') });
    expect(await found('k1')).toBe(true);
    expect(await found('k1')).toBe(true);
    expect(messages()).toEqual(['batch signing key has expired and will be refused soon']);
    expect(lines[0]).toMatchObject({ level: 40, party: 'ingestor', key_id: 'k1' });
    now += 5 * MINUTE;
    await keys.find('k1');
    expect(lines).toHaveLength(2);
  });

  it('that expires this moment, or at no date, is not refused', async () => {
    server.answer = serving({ k1: entry(KEY.pem, '2026-11-21T10:00:00Z'), k2: entry(KEY.pem, 'never') });
    expect(await found('k1')).toBe(true);
    expect(lines).toEqual([]);
    expect(await found('k2')).toBe(true);
    expect(messages()).toEqual(['expiration of batch signing key is no date; the key is used']);
  });

  it.each([
    [10 * DAY, true],
    [10 * DAY + 1, false],
  ])('that expired %d ms ago, with a grace of 10 days, counts: %s', async (ago, counts) => {
    server.answer = serving({ k1: entry(KEY.pem, new Date(now - ago).toISOString()) });
    if (counts) expect(await found('k1')).toBe(true);
    else {
      await expect(keys.find('k1')).rejects.toMatchObject({ code: 'E_SIGNING_KEY_EXPIRED', fate: 'reject' });
    }
  });

  it('that has expired for good is looked for anew before it is refused', async () => {
    server.answer = serving({ k1: entry(KEY.pem, '2026-11-21T10:00:01Z') });
    await keys.find('k1');
    server.answer = inTurn(status(304), serving({ k1: entry(newKey().pem) }));
    now += 4 * MINUTE;
    expect(await found('k1')).toBe(true);
    now += 20 * DAY;
    server.answer = serving({ k1: entry(KEY.pem, FUTURE) });
    expect((await keys.find('k1'))?.equals(KEY.publicKey)).toBe(true);
  });
});

it('a manifest of no identity in common is parsed by whoever asked for it', async () => {
  const other = new CachedManifest({ urls: [`${server.base}/x`], parse: parseIngestorManifest }, settings);
  expect((await other.get()).manifest.batchSigningPublicKeys.size).toBe(1);
});

describe('the expiration of a key', () => {
  it.each([
    ['that is good', FUTURE, new Date(FUTURE)],
    ['that expired for good', '2020-01-01T00:00:00Z', new Date('2020-01-01T00:00:00Z')],
    ['whose expiration is no date', 'never', undefined],
  ])('%s is told to whoever counts, if it is known', async (_name, expiration, told) => {
    server.answer = serving({ k1: entry(KEY.pem, expiration) });
    const found: unknown[] = [];
    const onExpiration = (identifier: string, at: Date): void => void found.push(identifier, at);
    const watched = new ManifestKeySource(manifest, {
      party: 'peer',
      expiredKeyGraceMs: DAY,
      clock,
      log,
      onExpiration,
    });
    await watched.find('k1').catch(() => undefined);
    await watched.find('k2');
    expect(found).toEqual(told ? ['k1', told] : []);
  });
});
