import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { aggregateClaim } from '../../common/domain/marker.ts';
import {
  decodeAggregateMessage,
  encodeAggregateReference,
  encodeAggregateTask,
  type AggregateTask,
  type AggregateTaskReference,
} from '../../common/domain/task.ts';
import type { StoredObject } from '../../common/ports/storage.ts';
import { MAX_CLAIM_BYTES, readClaimedTask } from '../../facilitator/claimed-task.ts';

const WINDOW = { begin: new Date('2021-01-02T03:00Z'), end: new Date('2021-01-02T06:00Z') };
const TASK: AggregateTask = {
  traceId: 'd4ea65d0-03d7-4684-9f85-58a628518867',
  aggregationId: 'kittens-seen',
  window: WINDOW,
  batches: [{ id: '0f0e0d0c-0b0a-4908-8706-050403020100', time: WINDOW.begin }],
};
const KEY = aggregateClaim(TASK.aggregationId, WINDOW);
const CLAIM = Buffer.from(encodeAggregateTask(TASK));
const REFERENCE = decodeAggregateMessage(
  Buffer.from(encodeAggregateReference(TASK, KEY, CLAIM)),
) as AggregateTaskReference; // as just encoded

/** A storage whose one object is a mebibyte, again and again; it knows whether the object is held open. */
class EndlessStorage extends MemoryStorage {
  readonly size: number;
  isOpen = false;
  mebibytes = 0;

  constructor(size: number) {
    super('endless');
    this.size = size;
  }

  override async get(): Promise<StoredObject> {
    return { version: '1', size: this.size, body: this.#body() };
  }

  async *#body(): AsyncGenerator<Uint8Array> {
    this.isOpen = true;
    try {
      for (;;) {
        this.mebibytes++;
        yield Buffer.alloc(1024 * 1024);
      }
    } finally {
      this.isOpen = false;
    }
  }
}

describe('the task that a message refers to', () => {
  let own: MemoryStorage;
  beforeEach(() => {
    own = new MemoryStorage('own');
  });

  it('is the one in the claim', async () => {
    await own.put(KEY, CLAIM);
    expect(await readClaimedTask(REFERENCE, own)).toEqual(TASK);
  });

  it('is asked for again while the claim is missing', async () => {
    await expect(readClaimedTask(REFERENCE, own)).rejects.toMatchObject({ code: 'E_OBJECT_MISSING', fate: 'retry' });
    await expect(readClaimedTask(REFERENCE, own)).rejects.toThrow(
      `${KEY}, which is not in memory://own; is --own-input`,
    );
  });

  it('is asked for again while we do not know where claims are', async () => {
    const reading = readClaimedTask(REFERENCE, undefined);
    await expect(reading).rejects.toMatchObject({ code: 'E_CONFIGURATION', fate: 'retry' });
    await expect(reading).rejects.toThrow(`${KEY}, which cannot be read without --own-input`);
  });

  it('is refused if the claim is not what the message says', async () => {
    await own.put(KEY, Buffer.from(encodeAggregateTask({ ...TASK, batches: [] })));
    await expect(readClaimedTask(REFERENCE, own)).rejects.toMatchObject({ code: 'E_TASK_MALFORMED', fate: 'reject' });
  });

  it.each([
    ['says so', MAX_CLAIM_BYTES + 1, 1],
    ['does not say so', CLAIM.length, MAX_CLAIM_BYTES / 1024 / 1024 + 1],
  ])('is refused, and read no further, if the claim is too long and %s', async (_, size, mebibytes) => {
    const endless = new EndlessStorage(size);
    const reading = readClaimedTask(REFERENCE, endless);
    await expect(reading).rejects.toMatchObject({ code: 'E_TASK_MALFORMED', fate: 'reject' });
    await expect(reading).rejects.toThrow('has more than 67108864 bytes');
    expect(endless).toMatchObject({ mebibytes, isOpen: false });
  });

  it('is not read for whoever has lost it', async () => {
    await own.put(KEY, CLAIM);
    const reason = new Error('gone');
    await expect(readClaimedTask(REFERENCE, own, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
