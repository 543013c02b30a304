import { memoryLogger } from '../../support/memory-log.ts';
import { TaskMalformed, type LeaseLost } from '../../../common/errors.ts';
import { settleTask, type SettleSetup } from '../../../facilitator/worker/settle.ts';
import type { Findings, TaskContext, TaskKind } from '../../../facilitator/worker/task-kind.ts';
import type { DeliveryDouble } from './queue-double.ts';
import { NEVER, settleSetup } from './setup.ts';

export const TRACE_ID = '9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b';
/** Of every delivery, unless a test changes it. */
export const DEADLINE_MS = 600_000;

export interface NamedTask {
  readonly traceId: string;
  readonly name: string;
}

type Work = (task: NamedTask, context: TaskContext) => Promise<Findings | void>;

/** A place where deliveries are settled, with its log and a clock that only tests move. */
export class Settling {
  readonly #log = memoryLogger();
  nowMs = Date.UTC(2026, 10, 21);

  get lines(): readonly Readonly<Record<string, unknown>>[] {
    return this.#log.lines;
  }

  /** The lines that tell what became of a task. */
  get outcomes(): readonly Readonly<Record<string, unknown>>[] {
    return this.lines.filter(({ message }) => message === 'task finished');
  }

  /** Settles a delivery whose task is done by `work`; the message is the task's name. */
  async settle(
    delivery: DeliveryDouble,
    work: Work,
    changes: Partial<SettleSetup> = {},
    stop: AbortSignal = NEVER,
  ): Promise<void> {
    const kind: TaskKind<NamedTask> = {
      name: 'naming',
      decode: (message) => {
        const name = Buffer.from(message).toString();
        if (name.startsWith('malformed')) throw new TaskMalformed('no task');
        return { traceId: TRACE_ID, name };
      },
      describe: ({ name }) => ({ aggregation_id: name }),
      execute: async (task, context) => (await work(task, context)) ?? {},
    };
    const setup = settleSetup({ clock: () => new Date(this.nowMs), log: this.#log.log, ...changes });
    await settleTask(delivery, kind, setup, stop);
  }
}

export const throwing = (error: unknown) => async (): Promise<never> => {
  throw error;
};

export function hangUntilAborted(_task: NamedTask, { signal }: Pick<TaskContext, 'signal'>): Promise<void> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as LeaseLost));
  });
}
