import { describe, expect, it } from 'vitest';
import { Stopped, StorageUnavailable } from '../../../common/errors.ts';
import { repeatWork, type RepeatedWorkSettings } from '../../../facilitator/worker/repeated-work.ts';
import { memoryLogger } from '../../support/memory-log.ts';

interface Repeated {
  readonly changes?: Partial<RepeatedWorkSettings>;
  /** What is done, given which time it is, from 1. */
  readonly work: (time: number, signal: AbortSignal) => Promise<void>;
  readonly stop?: AbortController;
  readonly stopNow?: AbortController;
}

async function repeat({
  changes,
  work,
  stop = new AbortController(),
  stopNow = new AbortController(),
}: Repeated): Promise<{
  readonly times: number;
  readonly statuses: readonly string[];
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}> {
  const { log, lines } = memoryLogger();
  let times = 0;
  const statuses: string[] = [];
  await repeatWork(
    (signal) => work(++times, signal),
    { intervalMs: 1, maximumLifetimeMs: undefined, shutdownGraceMs: 600_000, log, ...changes },
    { stop: stop.signal, stopNow: stopNow.signal },
    (status) => statuses.push(status),
  );
  return { times, statuses, lines };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });

describe('repeated work', () => {
  it('goes on after failures, which are logged and told', async () => {
    const stop = new AbortController();
    const { statuses, lines } = await repeat({
      stop,
      work: async (time) => {
        if (time === 2) throw new StorageUnavailable('no answer');
        if (time === 3) throw new TypeError('a bug');
        if (time === 4) stop.abort(new Stopped('stopped by SIGTERM'));
      },
    });
    expect(statuses).toEqual(['success', 'error', 'error', 'success']);
    expect(lines).toMatchObject([
      { message: 'worker started' },
      { severity: 'ERROR', error_code: 'E_STORAGE_UNAVAILABLE', error: 'no answer' },
      { severity: 'ERROR', error_code: 'E_UNEXPECTED' },
      { message: 'worker stopped', reason: 'stopped by SIGTERM' },
    ]);
  });

  it('does not wait for the interval once it is to stop', async () => {
    const stop = new AbortController();
    const work = async (): Promise<void> => void setImmediate(() => stop.abort(new Stopped('s')));
    expect(await repeat({ stop, work, changes: { intervalMs: 2 ** 31 - 1 } })).toMatchObject({ times: 1 });
  });

  it('is not begun if it is to stop already', async () => {
    const stop = new AbortController();
    stop.abort(new Stopped('s'));
    expect(await repeat({ stop, work: async () => {} })).toMatchObject({ times: 0, statuses: [] });
  });

  it('ends at its maximum lifetime', async () => {
    const { lines } = await repeat({ work: async () => {}, changes: { maximumLifetimeMs: 10 } });
    expect(lines.at(-1)).toMatchObject({ reason: 'the maximum lifetime is reached' });
  });

  it('is broken off after the grace', async () => {
    const stop = new AbortController();
    const { lines, statuses } = await repeat({
      stop,
      changes: { shutdownGraceMs: 0 },
      work: (_, signal) => {
        stop.abort(new Stopped('stopped by SIGTERM'));
        return untilAborted(signal);
      },
    });
    expect(statuses).toEqual(['error']);
    expect(lines[1]).toMatchObject({ error_code: 'E_STOPPED' });
  });

  it('is broken off at once by a second signal', async () => {
    const stop = new AbortController();
    const stopNow = new AbortController();
    const work = (_: number, signal: AbortSignal): Promise<void> => {
      stop.abort(new Stopped('first'));
      stopNow.abort(new Stopped('second'));
      return untilAborted(signal);
    };
    expect((await repeat({ stop, stopNow, work })).lines[1]).toMatchObject({ error: 'second' });
  });
});
