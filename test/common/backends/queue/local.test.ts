import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalEnqueuer } from '../../../../common/backends/queue/local-enqueuer.ts';
import { LocalTaskQueue, type LocalTaskQueueOptions } from '../../../../common/backends/queue/local.ts';
import { ConfigurationInvalid, PermissionDenied, QueueUnavailable } from '../../../../common/errors.ts';
import { take, textOf } from '../../../contract/queue/fixtures.ts';
import { asOrdinaryUser } from '../../../support/ordinary-user.ts';

const START_MS = Date.parse('2026-11-21T10:00:00Z');
const DAY_MS = 86_400_000;
const DEADLINE_MS = 600_000;

let scratch: string;
let directory: string;
let nowMs: number;
let enqueuer: LocalEnqueuer;
let queue: LocalTaskQueue;

const clock = (): Date => new Date(nowMs);
const consumer = (options: Partial<LocalTaskQueueOptions> = {}): LocalTaskQueue =>
  new LocalTaskQueue({ directory, clock, ...options });

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'dsp-local-queue-'));
  directory = join(scratch, 'tasks');
  nowMs = START_MS;
  enqueuer = new LocalEnqueuer({ directory, clock });
  queue = consumer();
});

afterEach(() => rm(scratch, { recursive: true }));

/** The names in one of the queue's folders, without what is peculiar to the run. */
async function files(folder: string): Promise<string[]> {
  const path = join(directory, folder);
  if (!existsSync(path)) return [];
  return (await readdir(path)).map((name) => name.replace(/-[A-Za-z0-9]+(?=~)/, ''));
}

async function nothingIn(...folders: readonly string[]): Promise<void> {
  for (const folder of folders) expect(await files(folder)).toEqual([]);
}

describe('the files of a queue', () => {
  const NAME = '0001795255200000-00000001';

  it('tell the state of a message by their names', async () => {
    await enqueuer.publish('task');
    expect(await files('ready')).toEqual([`${NAME}~0`]);
    const first = await take(queue);
    expect(await files('leased')).toEqual([`${NAME}~1~${START_MS + DEADLINE_MS}`]);
    nowMs += 1000;
    await first.extend();
    expect(await files('leased')).toEqual([`${NAME}~1~${START_MS + DEADLINE_MS + 1000}`]);
    await first.nack();
    expect(await files('ready')).toEqual([`${NAME}~1`]);
    nowMs += 1000;
    await take(queue);
    nowMs += DEADLINE_MS;
    const third = await take(consumer({ ackDeadlineMs: 1000, maxDeliveries: 3 }));
    expect(await files('leased')).toEqual([`${NAME}~3~${nowMs + 1000}`]);
    await third.nack();
    expect(await files('dead-letters')).toEqual([`${NAME}~3`]);
    await nothingIn('ready', 'leased');
  });

  it('are gone with the last message, but for an empty folder of the publisher', async () => {
    await enqueuer.publish('task');
    await (await take(queue)).ack();
    await nothingIn('ready', 'leased', 'dead-letters');
    const left = await readdir(join(directory, '.tmp'), { recursive: true, withFileTypes: true });
    expect(left.map((entry) => entry.isDirectory())).toEqual([true]);
  });

  it('are not made by a check', async () => {
    await enqueuer.check();
    await queue.check();
    expect(existsSync(directory)).toBe(false);
  });

  it('of other programs are left alone', async () => {
    const foreign = ['README', '.hidden', `${NAME}-abc`, `${NAME}-abc~0.swp`, `${NAME}-abc~1~`];
    for (const folder of ['ready', 'leased', 'dead-letters']) {
      await mkdir(join(directory, folder, `${NAME}-dir~0`), { recursive: true });
      await mkdir(join(directory, folder, `${NAME}-dir~0~0`), { recursive: true });
      for (const name of foreign) await writeFile(join(directory, folder, name), 'foreign');
    }
    await enqueuer.publish('task');
    const delivery = await take(queue);
    expect(textOf(delivery)).toBe('task');
    await delivery.ack();
    await enqueuer.publish('next');
    expect(textOf(await take(queue))).toBe('next');
    for (const folder of ['ready', 'leased', 'dead-letters']) {
      expect(await readdir(join(directory, folder))).toEqual(expect.arrayContaining(foreign));
    }
  });

  it('follow one call after the other, also when calls overlap', async () => {
    await enqueuer.publish('task');
    const delivery = await take(consumer({ clock: () => new Date(nowMs++) }));
    await Promise.all([delivery.extend(), delivery.extend(), delivery.ack()]);
    await nothingIn('ready', 'leased');
  });

  it('may be moved from dead-letters to ready, for one more delivery', async () => {
    await enqueuer.publish('hard');
    await (await take(consumer({ maxDeliveries: 1 }))).nack();
    for (const name of await readdir(join(directory, 'dead-letters'))) {
      await rename(join(directory, 'dead-letters', name), join(directory, 'ready', name));
    }
    const delivery = await take(consumer({ maxDeliveries: 1 }));
    expect([textOf(delivery), delivery.attempt]).toEqual(['hard', 2]);
    await delivery.nack();
    expect(await files('dead-letters')).toEqual([`${NAME}~2`]);
  });

  it('may be moved away with the whole queue, also while somebody waits', async () => {
    await enqueuer.publish('before');
    await (await take(queue)).ack();
    const waiting = take(queue);
    await rename(directory, join(scratch, 'elsewhere'));
    await enqueuer.publish('after');
    expect(textOf(await waiting)).toBe('after');
  });

  it('that a dead publisher left half-written are no messages', async () => {
    await mkdir(join(directory, '.tmp', 'dead'), { recursive: true });
    await writeFile(join(directory, '.tmp', 'dead', '1'), 'hal');
    await enqueuer.publish('whole');
    expect(textOf(await take(queue))).toBe('whole');
    await nothingIn('ready');
  });
});

describe('the order', () => {
  it('is that of publication, also among publishers', async () => {
    const other = new LocalEnqueuer({ directory, clock });
    for (let i = 0; i < 10; i++) {
      nowMs += 1;
      await (i % 2 ? enqueuer : other).publish(String(i));
    }
    for (let i = 0; i < 10; i++) expect(textOf(await take(queue))).toBe(String(i));
  });

  it('is kept in a queue longer than one look takes in, and a message given back comes first', async () => {
    await Promise.all(Array.from({ length: 300 }, (_, i) => enqueuer.publish(String(i))));
    const first = await take(queue);
    const second = await take(queue);
    expect([textOf(first), textOf(second)]).toEqual(['0', '1']);
    await second.nack();
    await first.nack();
    for (let i = 0; i < 300; i++) expect(textOf(await take(queue))).toBe(String(i));
  });

  it('begins with messages whose lease has expired', async () => {
    await enqueuer.publish('old');
    await take(queue);
    await enqueuer.publish('new');
    nowMs += DEADLINE_MS;
    expect(textOf(await take(queue))).toBe('old');
    expect(textOf(await take(queue))).toBe('new');
  });
});

describe('a clock that jumps', () => {
  it('back by years does not leave messages with consumers that died', async () => {
    nowMs = START_MS + 3650 * DAY_MS;
    await enqueuer.publish('task');
    await take(queue);
    nowMs = START_MS;
    const next = await take(consumer());
    expect([textOf(next), next.attempt]).toEqual(['task', 2]);
  });

  it('back by minutes leaves a lease to its holder', async () => {
    await enqueuer.publish('held');
    const held = await take(queue);
    nowMs -= 10 * 60_000;
    await enqueuer.publish('next');
    expect(textOf(await take(consumer()))).toBe('next');
    await held.ack();
  });

  it('ahead costs a repetition', async () => {
    await enqueuer.publish('task');
    await take(queue);
    nowMs += 3650 * DAY_MS;
    const next = await take(consumer());
    nowMs = START_MS;
    await next.extend();
    await next.ack();
    await nothingIn('ready', 'leased', 'dead-letters');
  });
});

describe('waiting', () => {
  it('finds an expired lease without any notice, by the clock alone', async () => {
    await enqueuer.publish('task');
    await take(queue);
    const waiting = take(queue);
    nowMs += DEADLINE_MS;
    expect((await waiting).attempt).toBe(2);
  });

  it('ends when the consumer is disposed of', async () => {
    const waiting = queue.receive(new AbortController().signal);
    await queue[Symbol.asyncDispose]();
    expect(await waiting).toBeUndefined();
  });
});

describe('failures', () => {
  it('name a file in the place of the queue, and keep the cause', async () => {
    await writeFile(directory, 'in the way');
    await expect(enqueuer.check()).rejects.toThrow(ConfigurationInvalid);
    await expect(queue.check()).rejects.toThrow(ConfigurationInvalid);
    await expect(enqueuer.publish('task')).rejects.toMatchObject({
      code: 'E_QUEUE_UNAVAILABLE',
      message: `cannot publish to ${enqueuer.url}`,
      cause: { code: 'ENOTDIR' },
    });
    await expect(queue.receive(AbortSignal.timeout(10_000))).rejects.toThrow(QueueUnavailable);
  });

  it('name a directory that is not ours', async () => {
    await enqueuer.publish('task');
    const delivery = await take(queue);
    for (const folder of ['ready', 'leased', 'dead-letters', '.tmp']) {
      await mkdir(join(directory, folder), { recursive: true });
      await chmod(join(directory, folder), 0o500);
    }
    await chmod(scratch, 0o755);
    await asOrdinaryUser(async () => {
      await expect(new LocalEnqueuer({ directory, clock }).publish('task')).rejects.toThrow(PermissionDenied);
      await expect(consumer().receive(AbortSignal.timeout(10_000))).rejects.toThrow(PermissionDenied);
      await expect(delivery.ack()).rejects.toThrow(PermissionDenied);
      await expect(delivery.nack()).rejects.toThrow(PermissionDenied);
    });
    await chmod(directory, 0);
    await asOrdinaryUser(async () => {
      await expect(enqueuer.check()).rejects.toThrow(PermissionDenied);
      await expect(queue.check()).rejects.toThrow(PermissionDenied);
    });
  });

  it('leave a message that we may not read to others, and uncounted', async () => {
    await enqueuer.publish('secret');
    const [name = ''] = await readdir(join(directory, 'ready'));
    await chmod(join(directory, 'ready', name), 0);
    await mkdir(join(directory, 'leased'));
    for (const path of [directory, join(directory, 'ready'), join(directory, 'leased')]) await chmod(path, 0o777);
    await chmod(scratch, 0o755);
    await asOrdinaryUser(async () => {
      await expect(queue.receive(AbortSignal.timeout(10_000))).rejects.toThrow(PermissionDenied);
    });
    expect(await readdir(join(directory, 'ready'))).toEqual([name]);
  });

  it('check the rejected topic as well', async () => {
    await writeFile(join(scratch, 'file'), 'in the way');
    const rejectedTopic = new LocalEnqueuer({ directory: join(scratch, 'file'), clock });
    await expect(consumer({ rejectedTopic }).check()).rejects.toThrow(ConfigurationInvalid);
  });

  it('keep a message whose rejection could not be published', async () => {
    await writeFile(join(scratch, 'file'), 'in the way');
    const rejectedTopic = new LocalEnqueuer({ directory: join(scratch, 'file'), clock });
    await enqueuer.publish('bad');
    const delivery = await take(consumer({ rejectedTopic }));
    await expect(delivery.reject()).rejects.toThrow(QueueUnavailable);
    await delivery.nack();
    expect(textOf(await take(queue))).toBe('bad');
  });

  it.each([
    { ackDeadlineMs: 0 },
    { ackDeadlineMs: 1.5 },
    { ackDeadlineMs: DAY_MS },
    { maxDeliveries: 0 },
    { maxDeliveries: Number.NaN },
  ])('include settings that make no sense: %j', (options) => {
    expect(() => consumer(options)).toThrow(RangeError);
  });
});
