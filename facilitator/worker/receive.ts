import pRetry from 'p-retry';
import { errorFields } from '../../common/errors.ts';
import type { Delivery, TaskQueue } from '../../common/ports/queue.ts';
import type { Logger } from '../../common/runtime/log.ts';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Waits for a task for as long as it takes. A queue that fails is asked again, after a pause that grows from a second to
 * half a minute.
 * @returns `undefined` once `stop` is aborted
 */
export async function receiveTask(queue: TaskQueue, log: Logger, stop: AbortSignal): Promise<Delivery | undefined> {
  const attempt = async (): Promise<Delivery | undefined> => {
    try {
      return await queue.receive(stop);
    } catch (cause) {
      // pRetry does not repeat what ends with a `TypeError`, which it takes for a bug; but a worker lives on with bugs.
      throw new Error('no task could be received', { cause });
    }
  };
  let delivery: { readonly value: Delivery | undefined } | undefined;
  try {
    await pRetry(async () => void (delivery = { value: await attempt() }), {
      retries: Infinity,
      minTimeout: FIRST_PAUSE_MS,
      maxTimeout: LONGEST_PAUSE_MS,
      randomize: true,
      signal: stop,
      onFailedAttempt: ({ error }) => {
        if (!stop.aborted) log.error(errorFields(error.cause), 'no task could be received; trying again');
      },
    });
  } catch (err) {
    if (!stop.aborted) throw err;
  }
  // One that was received just as the worker was told to stop is in hand, though pRetry calls that aborted.
  return delivery?.value;
}
