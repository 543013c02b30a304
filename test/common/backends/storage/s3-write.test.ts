import { beforeEach, describe, expect, it } from 'vitest';
import { PART_BYTES } from '../../../../common/backends/storage/s3-write.ts';
import type { Storage } from '../../../../common/ports/storage.ts';
import { readObject } from '../../../../common/runtime/read-object.ts';
import { chunks, keysOf, MEBIBYTE } from '../../../contract/storage/fixtures.ts';
import { withoutTools } from '../../../services/service.ts';
import { startVersitygw } from '../../../services/versitygw.ts';
import { s3Buckets } from '../../../support/s3-buckets.ts';

const LARGE = Buffer.alloc(PART_BYTES + 1, 'large');

describe.skipIf(withoutTools('writing to S3', 'versitygw'))('over versitygw', () => {
  const buckets = s3Buckets(startVersitygw);
  let bucket: string;
  let storage: Storage;

  beforeEach(async () => {
    bucket = await buckets.create();
    storage = buckets.open(bucket, 'p');
  });

  async function uploadsUnderWay(): Promise<number> {
    const { sdk, client } = buckets.connection();
    const { Uploads = [] } = await client.send(new sdk.ListMultipartUploadsCommand({ Bucket: bucket }));
    return Uploads.length;
  }

  it('keeps storages of one bucket apart', async () => {
    const other = buckets.open(bucket, 'p2');
    const whole = buckets.open(bucket);
    await storage.put('k', Buffer.from('1'));
    await other.put('k', Buffer.from('2'));
    await whole.put('p/x y+%41', Buffer.from('3'));
    expect(await keysOf(storage.list())).toEqual(['k', 'x y+%41']);
    expect(await keysOf(other.list())).toEqual(['k']);
    expect(await keysOf(whole.listFolder())).toEqual(['p/', 'p2/']);
    expect((await readObject(storage, 'k')).toString()).toBe('1');
  });

  it.each([
    ['one buffer', () => LARGE],
    ['chunks', () => chunks(LARGE.subarray(0, 5 * MEBIBYTE), LARGE.subarray(5 * MEBIBYTE))],
  ])('creates and replaces on condition what goes up in parts, as %s', async (_, body) => {
    const version = await storage.createIfAbsent('k', body());
    expect(version).toMatch(/-2"$/);
    expect((await readObject(storage, 'k')).equals(LARGE)).toBe(true);
    expect(await storage.createIfAbsent('k', body())).toBeUndefined();
    const next = await storage.replaceIfUnchanged('k', version ?? '', Buffer.from('small'));
    expect(next).toBeDefined();
    expect(await storage.replaceIfUnchanged('k', version ?? '', body())).toBeUndefined();
    expect((await readObject(storage, 'k')).toString()).toBe('small');
    expect(await uploadsUnderWay()).toBe(0);
  });

  it('leaves no parts if the body fails or is aborted while they go up', async () => {
    const reason = new Error('midway');
    async function* failing(then: () => void): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 3; sent++) yield LARGE;
      then();
      await new Promise<never>(() => {});
    }
    const raise = (): never => {
      throw reason;
    };
    await expect(storage.put('k', failing(raise))).rejects.toBe(reason);
    const controller = new AbortController();
    const { signal } = controller;
    const aborting = storage.put(
      'k',
      failing(() => controller.abort(reason)),
      { signal },
    );
    await expect(aborting).rejects.toBe(reason);
    expect(await uploadsUnderWay()).toBe(0);
    expect(await keysOf(storage.list())).toEqual([]);
  });

  it('streams an object of 256 MiB both ways in a fraction of its memory', async () => {
    const size = 256 * MEBIBYTE;
    let peak = 0;
    const base = process.memoryUsage().arrayBuffers;
    const look = (): void => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - base);
    };
    async function* large(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < size; sent += MEBIBYTE) {
        look();
        yield Buffer.alloc(MEBIBYTE, 1);
      }
    }
    await storage.put('k', large());
    let received = 0;
    for await (const chunk of (await storage.get('k')).body) {
      received += chunk.length;
      look();
    }
    expect(received).toBe(size);
    expect(peak).toBeLessThan(128 * MEBIBYTE);
  });
});
