import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { chunks, failing, MEBIBYTE, stalling } from '../../../contract/storage/fixtures.ts';
import { error, json, reset, ScriptedGcs, type Answer } from './gcs-scripted.ts';

const open: ScriptedGcs[] = [];
afterEach(() => Promise.all(open.splice(0).map((gcs) => gcs[Symbol.asyncDispose]())));

async function start(...answers: readonly Answer[]): Promise<ScriptedGcs> {
  const gcs = await ScriptedGcs.start(...answers);
  open.push(gcs);
  return gcs;
}

type Fault = 'none' | 'lost answer' | Answer;

/** A resumable upload, as https://cloud.google.com/storage/docs/performing-resumable-uploads has it. */
class Session {
  received = 0;
  isStored = false;
  isDiscarded = false;
  readonly #digest = createHash('md5');
  readonly #faults: Fault[];

  constructor(...faults: Fault[]) {
    this.#faults = faults;
  }

  readonly answer: Answer = (response, request) => {
    const fault = this.#faults.shift() ?? 'none';
    if (typeof fault === 'function') return fault(response, request);
    const answer = this.#act(request);
    return (fault === 'lost answer' ? reset : answer)(response, request);
  };

  #act({ method, headers, body }: Parameters<Answer>[1]): Answer {
    if (method === 'POST') return json(200, {}, { location: `http://${headers.host}/session` });
    if (method === 'DELETE') {
      this.isDiscarded = true;
      return json(499, {});
    }
    const [, from, to, total] = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
    if (from !== undefined && to !== undefined) {
      if (Number(from) !== this.received || Number(to) + 1 - Number(from) !== body.length) return error(400, 'range');
      this.#digest.update(body);
      this.received += body.length;
      if (this.received === Number(total)) this.isStored = true;
    }
    if (this.isStored) return json(200, { generation: '7', md5Hash: this.md5 });
    return json(308, {}, this.received > 0 ? { range: `bytes=0-${this.received - 1}` } : {});
  }

  get md5(): string {
    return this.#digest.copy().digest('base64');
  }
}

const LARGE = Buffer.alloc(10 * MEBIBYTE, 'abcdefg');
const LARGE_MD5 = createHash('md5').update(LARGE).digest('base64');

describe('an upload', () => {
  it.each([0, 1, 5 * MEBIBYTE])('of %i bytes is one request', async (size) => {
    const gcs = await start(json(200, { generation: '7' }));
    const bytes = Buffer.alloc(size, 'abc');
    expect(await gcs.storage().put('k', bytes)).toBe('7');
    expect(await gcs.storage().put('k', chunks(bytes.subarray(0, 1), bytes.subarray(1)))).toBe('7');
    expect(gcs.requests.map(({ query }) => query.get('uploadType'))).toEqual(['media', 'media']);
    for (const { body } of gcs.requests) expect(body.equals(bytes)).toBe(true);
  });

  it.each([
    ['at once', (): Buffer => LARGE],
    ['in small chunks', () => chunks(...Array.from({ length: 1000 }, (_, i) => slice(i, 1000)))],
  ])('of 10 MiB goes in parts, if it comes %s', async (_, body) => {
    const session = new Session();
    const gcs = await start(session.answer);
    const counted: string[] = [];
    expect(await gcs.storage({ onRequest: (request) => counted.push(request) }).put('a/k', body())).toBe('7');
    expect(session.md5).toBe(LARGE_MD5);
    expect(gcs.requests.map(({ method, body }) => [method, body.length])).toEqual([
      ['POST', 2],
      ['PUT', 8 * MEBIBYTE],
      ['PUT', 2 * MEBIBYTE],
    ]);
    expect(Object.fromEntries(gcs.requests[0]!.query)).toEqual({ name: 'p/a/k', uploadType: 'resumable' });
    expect(gcs.requests[0]?.headers['x-upload-content-type']).toBe('application/octet-stream');
    expect(counted).toEqual(['put']);
  });

  it('does not take more from the body than it can send', async () => {
    const session = new Session();
    const gcs = await start(session.answer);
    let produced = 0;
    let ahead = 0;
    async function* body(): AsyncGenerator<Uint8Array> {
      for (; produced < 64 * MEBIBYTE; produced += MEBIBYTE) {
        yield Buffer.alloc(MEBIBYTE);
        ahead = Math.max(ahead, produced - session.received);
      }
    }
    await gcs.storage().put('k', body());
    expect(session.received).toBe(64 * MEBIBYTE);
    expect(ahead).toBeLessThanOrEqual(24 * MEBIBYTE);
  });

  it('lets go of a body that it does not take to the end', async () => {
    const gcs = await start(error(403, 'Forbidden', 'forbidden'));
    let isReleased = false;
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield LARGE;
      } finally {
        isReleased = true;
      }
    }
    await expect(gcs.storage().put('k', body())).rejects.toMatchObject({ code: 'E_PERMISSION_DENIED' });
    expect(isReleased).toBe(true);
  });

  it('asks for its condition when it begins', async () => {
    const creation = await start(new Session().answer);
    expect(await creation.storage().createIfAbsent('k', LARGE)).toBe('7');
    expect(creation.requests[0]?.query.get('ifGenerationMatch')).toBe('0');
    const replacement = await start(new Session().answer);
    expect(await replacement.storage().replaceIfUnchanged('k', '6', LARGE)).toBe('7');
    expect(replacement.requests[0]?.query.get('ifGenerationMatch')).toBe('6');
  });

  const refusal = error(412, 'conditionNotMet', 'conditionNotMet');
  it.each([
    ['at the beginning', new Session(refusal)],
    ['at the end', new Session('none', 'none', refusal)],
  ])('is refused %s', async (_, session) => {
    const gcs = await start(session.answer);
    expect(await gcs.storage().createIfAbsent('k', LARGE)).toBeUndefined();
  });

  it.each([
    [error(403, 'Forbidden', 'forbidden'), 'E_PERMISSION_DENIED'],
    [error(404, 'The specified bucket does not exist.', 'notFound'), 'E_CONFIGURATION'],
    [error(503, 'Backend Error'), 'E_STORAGE_UNAVAILABLE'],
  ])('that cannot begin fails for what it is', async (answer, code) => {
    const gcs = await start(answer);
    await expect(gcs.storage({ retries: 1 }).put('k', LARGE)).rejects.toMatchObject({ code });
  });

  it('that arrived damaged has failed, and is deleted', async () => {
    const session = new Session();
    const gcs = await start((response, request) => {
      if (request.method === 'DELETE') return session.answer(response, request);
      if (request.body[0] !== undefined) request.body[0] ^= 1;
      return session.answer(response, request);
    });
    await expect(gcs.storage().put('k', LARGE)).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE' });
    expect(gcs.requests.map(({ method, path }) => `${method} ${path}`)).toContain(
      'DELETE /storage/v1/b/bucket/o/p%2Fk',
    );
  });
});

describe('a large upload', () => {
  const FAULTS: readonly (readonly [string, Fault])[] = [
    ['a 503', error(503, 'Backend Error')],
    ['a reset connection', reset],
  ];
  const STEPS = ['its beginning', 'a part', 'its end'];

  // Google's library waits a second before it repeats a part.
  it('survives each fault at each step', { timeout: 20_000 }, async () => {
    const lost = STEPS.slice(0, 2).map((step, i) => ({
      name: `a lost answer at ${step}`,
      i,
      fault: 'lost answer' as const,
    }));
    const scenarios = STEPS.flatMap((step, i) =>
      FAULTS.map(([name, fault]) => ({ name: `${name} at ${step}`, i, fault })),
    );
    const outcomes = await Promise.all(
      [...scenarios, ...lost].map(async ({ name, i, fault }) => {
        const session = new Session(...Array.from({ length: i }, () => 'none' as const), fault);
        const gcs = await start(session.answer);
        const version = await gcs.storage().put('k', LARGE).catch(String);
        return `${name}: ${version}, ${session.md5 === LARGE_MD5 ? 'right' : 'wrong'}`;
      }),
    );
    expect(outcomes).toEqual([...scenarios, ...lost].map(({ name }) => `${name}: 7, right`));
  });

  // Google's library asks how far the upload is, and does not understand that it is done.
  it('whose last answer is lost counts as failed, although it is stored', async () => {
    const session = new Session('none', 'none', 'lost answer');
    const gcs = await start(session.answer);
    await expect(gcs.storage().put('k', LARGE)).rejects.toMatchObject({ code: 'E_STORAGE_UNAVAILABLE', fate: 'retry' });
    expect(session.isStored).toBe(true);
  });

  it('that the body fails is given up, and its error kept', async () => {
    const session = new Session();
    const gcs = await start(session.answer);
    const err = new Error('body');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield LARGE;
      await gcs.seen(2);
      yield* failing(err);
    }
    await expect(gcs.storage().put('k', body())).rejects.toBe(err);
    expect(session).toMatchObject({ isStored: false, isDiscarded: true });
  });

  it('that is aborted is given up, with the reason', async () => {
    const session = new Session();
    const gcs = await start(session.answer);
    const controller = new AbortController();
    const reason = new Error('enough');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield LARGE;
      await gcs.seen(2);
      yield* stalling(() => controller.abort(reason));
    }
    await expect(gcs.storage().put('k', body(), { signal: controller.signal })).rejects.toBe(reason);
    expect(session).toMatchObject({ isStored: false, isDiscarded: true });
  });
});

function slice(i: number, of: number): Buffer {
  return LARGE.subarray(Math.floor((i * LARGE.length) / of), Math.floor(((i + 1) * LARGE.length) / of));
}
