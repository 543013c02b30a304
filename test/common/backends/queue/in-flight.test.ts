import { expect, it } from 'vitest';
import { InFlight } from '../../../../common/backends/queue/in-flight.ts';

it('waits for the calls under way, those that begin meanwhile included, and for failing ones', async () => {
  const inFlight = new InFlight();
  const ended: string[] = [];
  const second = async (): Promise<void> => {
    await new Promise(setImmediate);
    ended.push('second');
  };
  const first = inFlight.run(async () => {
    await new Promise(setImmediate);
    void inFlight.run(second);
    ended.push('first');
    throw new Error('failed');
  });
  const failure = expect(first).rejects.toThrow('failed');
  await inFlight.settled();
  expect(ended).toEqual(['first', 'second']);
  await failure;
});

it('has nothing to wait for when nothing is under way', async () => {
  const inFlight = new InFlight();
  expect(await inFlight.run(async () => 1)).toBe(1);
  await inFlight.settled();
});
