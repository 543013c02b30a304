import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fieldsOf } from '../../common/domain/task-fields.ts';
import { namedFailure, UsageError } from '../../common/errors.ts';
import { command, type CommandContext } from '../../common/runtime/command.ts';
import type { Args } from '../../common/runtime/options.ts';
import { relaxed, requireGiven, unionOf } from '../../common/runtime/union-options.ts';
import type { TaskEnd, TaskMessage, TaskSetup, TaskStops } from '../worker/run-task.ts';
import type { Task, TaskKind } from '../worker/task-kind.ts';
import { aggregateOptions, checkAggregateOptions } from './aggregate-setup.ts';
import { openAggregateTasks } from './aggregate-worker.ts';
import { openIntakeTasks } from './intake-batch-worker.ts';
import { checkIntakeOptions, intakeOptions } from './intake-setup.ts';
import { checkTaskOptions, openTaskSetup, taskOptions } from './task-setup.ts';

const handlerOptions = unionOf(relaxed(intakeOptions), relaxed(aggregateOptions));

/** Executes a message; its kind is behind it. */
type Execution = (message: TaskMessage, setup: TaskSetup, stops: TaskStops) => Promise<TaskEnd>;

/** A kind of tasks that a file may hold. */
interface Runnable {
  /** A field that no other kind has. */
  readonly field: string;
  /** @throws UsageError for options that this kind lacks; ConfigurationInvalid, KeyInvalid, PermissionDenied */
  readonly open: (args: Args<typeof handlerOptions>, context: CommandContext) => Promise<Execution>;
}

const executionBy =
  <T extends Task>(kind: TaskKind<T>): Execution =>
  async (message, setup, stops) => {
    const { runTask } = await import('../worker/run-task.ts');
    return runTask(message, kind, setup, stops);
  };

const RUNNABLE: readonly Runnable[] = [
  {
    field: 'batch-id',
    open: async (given, context) => {
      const args = requireGiven(intakeOptions, given);
      checkIntakeOptions(args);
      return executionBy((await openIntakeTasks(args, context)).kind);
    },
  },
  {
    field: 'batches',
    open: async (given, context) => {
      const args = requireGiven(aggregateOptions, given);
      checkAggregateOptions(args);
      return executionBy((await openAggregateTasks(args, context)).kind);
    },
  },
];

/** `facilitator run TASK.json`: one task of any kind without a queue, as the workers do it. */
export const runCommand = command({
  name: 'run',
  describe: 'do the one task that a file holds, as a worker would, and print its result as JSON',
  // Once for their place in help, and once more because what both have is not relaxed.
  options: { ...taskOptions, ...handlerOptions, ...taskOptions },
  words: {
    name: 'file',
    describe: 'a task as its queue would deliver it; it decides which of the options are needed',
  },
  check: (args) => {
    if (args.file.length > 1) {
      throw new UsageError(`run takes one file, not ${args.file.length}; example: facilitator run task.json`);
    }
    checkTaskOptions(args);
  },
  prepare: async (args, context) => {
    // There is at least one word, and `check` saw that there are no more.
    const message = await readMessage(args.file[0]!);
    const execution = await runnableFor(message).open(args, context);
    const setup = await openTaskSetup(args, context);
    return () => execution(message, setup, { stop: context.signal });
  },
  run: async (_args, { stdout }, execute) => {
    const { resultFields } = await import('../worker/task-result.ts');
    const { result, error } = await execute();
    await stdout.write(`${JSON.stringify(resultFields(result), undefined, 2)}\n`);
    if (result.outcome !== 'ack') throw error;
  },
});

async function readMessage(file: string): Promise<TaskMessage> {
  let body: Uint8Array;
  try {
    body = await readFile(file);
  } catch (cause) {
    throw new UsageError(`${file} cannot be read; give a file that holds a task`, { cause });
  }
  return { id: basename(file), body, attempt: undefined };
}

/** By the fields that only one kind has, so that a task with a mistake is told what is wrong with it. */
function runnableFor({ id, body }: TaskMessage): Runnable {
  let found: readonly Runnable[];
  try {
    const fields = fieldsOf(body);
    found = RUNNABLE.filter(({ field }) => field in fields);
  } catch (err) {
    throw new UsageError(`${id} is no task: ${namedFailure(err)?.message ?? 'unreadable'}`);
  }
  const [runnable, ...others] = found;
  if (runnable && others.length === 0) return runnable;
  throw new UsageError(
    `${id} is no task of a known kind: an intake task has the field "batch-id", an aggregate task "batches"`,
  );
}
