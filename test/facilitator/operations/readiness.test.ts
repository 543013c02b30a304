import { describe, expect, it } from 'vitest';
import { QueueUnavailable } from '../../../common/errors.ts';
import { ReadinessProbe, type ReadinessChecks } from '../../../facilitator/operations/readiness.ts';
import { memoryLogger } from '../../support/memory-log.ts';

const MAX_AGE_MS = 5000;

function probeOf(checks: ReadinessChecks, limitMs = 60_000) {
  const { log, lines } = memoryLogger('info');
  const time = { ms: 0 };
  const settings = { checks, limitMs, maxAgeMs: MAX_AGE_MS, clock: () => new Date(time.ms), log };
  const probe = new ReadinessProbe(settings);
  return { probe, lines, time, ask: async () => Object.fromEntries(await probe.ask()) };
}

describe('readiness', () => {
  it('is what all checks say', async () => {
    const { ask } = probeOf({
      keys: () => {},
      storage: async () => {},
      queue: async () => {
        throw new QueueUnavailable('no connection');
      },
      peer: () => {
        throw new Error('at once');
      },
    });
    expect(await ask()).toEqual({ keys: true, storage: true, queue: false, peer: false });
  });

  it('logs why when a check begins to fail, and when it has recovered', async () => {
    let isUp = true;
    const { ask, time, lines } = probeOf({
      queue: () => {
        if (!isUp) throw new QueueUnavailable('no connection');
      },
    });
    const answers: unknown[] = [];
    for (const up of [true, false, false, true, true]) {
      isUp = up;
      answers.push((await ask())['queue']);
      time.ms += MAX_AGE_MS;
    }
    expect(answers).toEqual([true, false, false, true, true]);
    expect(lines).toMatchObject([
      { severity: 'WARNING', check: 'queue', error_code: 'E_QUEUE_UNAVAILABLE', message: 'not ready' },
      { severity: 'INFO', check: 'queue', message: 'ready again' },
    ]);
  });

  it('asks once for all who ask at the same time or soon after', async () => {
    let asked = 0;
    const { probe, time } = probeOf({ queue: () => void asked++ });
    await Promise.all([probe.ask(), probe.ask()]);
    time.ms = MAX_AGE_MS - 1;
    await probe.ask();
    expect(asked).toBe(1);
    time.ms = MAX_AGE_MS;
    await probe.ask();
    expect(asked).toBe(2);
    time.ms = 0;
    await probe.ask();
    expect(asked).toBe(3);
  });

  it('takes no answer for a failure, whether or not the check heeds its signal', async () => {
    let reason: unknown;
    const { ask } = probeOf(
      {
        deaf: () => new Promise(() => {}),
        heeding: (signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              reason = signal.reason;
              reject(new Error('aborted'));
            });
          }),
      },
      5,
    );
    expect(await ask()).toEqual({ deaf: false, heeding: false });
    expect(reason).toMatchObject({ message: 'no answer within 5 ms' });
  });
});
