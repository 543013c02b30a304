import { beforeEach, expect, it } from 'vitest';
import { dryRunEnqueuer } from '../../../../common/backends/queue/dry-run.ts';
import { ConfigurationInvalid } from '../../../../common/errors.ts';
import type { Enqueuer } from '../../../../common/ports/queue.ts';

let calls: string[];
let enqueuer: Enqueuer;
beforeEach(() => {
  calls = [];
  const base: Enqueuer = {
    url: 'memory://tasks',
    publish: () => expect.fail('published'),
    create: () => expect.fail('created'),
    check: async () => {
      throw new ConfigurationInvalid('no such topic');
    },
    [Symbol.asyncDispose]: async () => void calls.push('disposed'),
  };
  enqueuer = dryRunEnqueuer(base, (line) => calls.push(line));
});

it('prints messages instead of publishing them', async () => {
  await Promise.all([enqueuer.publish('{"a":1}'), enqueuer.publish('{"b":2}')]);
  expect(calls).toEqual(['would publish to memory://tasks: {"a":1}', 'would publish to memory://tasks: {"b":2}']);
  expect(enqueuer.url).toBe('memory://tasks');
});

it('prints that it would create the topic', async () => {
  await enqueuer.create();
  expect(calls).toEqual(['would create memory://tasks with a subscription, unless it is there']);
});

it('prints nothing once aborted', async () => {
  const reason = new Error('aborted');
  await expect(enqueuer.publish('{}', AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(calls).toEqual([]);
});

it('asks the real one whether its topic can be used', async () => {
  await expect(enqueuer.check()).rejects.toThrow('no such topic');
});

it('disposes of the real one', async () => {
  {
    await using _ = enqueuer;
  }
  expect(calls).toEqual(['disposed']);
});
