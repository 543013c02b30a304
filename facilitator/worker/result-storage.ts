import type { Storage } from '../../common/ports/storage.ts';
import { resultFields, type TaskResult } from './task-result.ts';

/** Where the results of tasks go, besides the log. */
export interface ResultSink {
  /** For logs and errors, never with credentials. */
  readonly url: string;
  /** Has stored the result for good when it returns; throws if it could not. */
  write(result: TaskResult, signal: AbortSignal): Promise<void>;
}

/** Longer names of tasks are cut, as file systems take 255 characters. */
const MAX_ID_CHARACTERS = 120;

/** Keeps each result as an object, indented JSON. */
export function resultStorage(storage: Storage): ResultSink {
  return {
    url: storage.url,
    write: async (result, signal) => {
      const body = `${JSON.stringify(resultFields(result), undefined, 2)}\n`;
      await storage.put(resultKey(result), Buffer.from(body), { signal });
    },
  };
}

/**
 * `results/KIND/YYYY-MM-DD/TASK-ATTEMPT.json` by the day on which the execution began. Where the queue does not count
 * deliveries, the time stands for the attempt, so that no execution replaces another's result.
 */
export function resultKey({ kind, taskId, attempt, startedAt }: TaskResult): string {
  const time = startedAt.toISOString();
  // What a queue calls its messages may be anything; `.` alone would be a segment that no key may have.
  const id = taskId.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_ID_CHARACTERS);
  const nth = attempt ?? time.replaceAll(/\D/g, '');
  return `results/${kind}/${time.slice(0, 10)}/${id}-${nth}.json`;
}
