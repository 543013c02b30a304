import {
  openTaskQueue,
  TASK_QUEUE_KINDS,
  type TaskQueueKind,
  type TaskQueueSettings,
} from '../common/backends/queue/open.ts';
import { openStorage } from '../common/backends/storage/open.ts';
import type { TaskQueue } from '../common/ports/queue.ts';
import type { Storage } from '../common/ports/storage.ts';
import { choice, storageLocation } from '../common/runtime/option-values.ts';
import type { OptionSpec } from '../common/runtime/option-spec.ts';

/*
 * The one place where the facilitator's commands meet backends: options that name a storage come out as a `Storage`,
 * which has not been touched yet.
 */

const EXAMPLE = 'file:///var/lib/dsp/ingestion';

interface StorageSettings {
  readonly describe: string;
  /** The reference's variable. */
  readonly legacyEnv?: string;
}

export function requiredStorage(settings: StorageSettings): OptionSpec<Storage> {
  return storageLocation(openStorage, { ...settings, example: EXAMPLE, required: true });
}

export function optionalStorage(settings: StorageSettings): OptionSpec<Storage | undefined> {
  return storageLocation(openStorage, { ...settings, example: EXAMPLE });
}

export function taskQueueKind(settings: {
  readonly describe: string;
  readonly legacyEnv: string;
}): OptionSpec<TaskQueueKind> {
  return choice(TASK_QUEUE_KINDS, { ...settings, required: true });
}

/** The queue of that name, which has not been touched yet. @throws UsageError */
export function openTasks(kind: TaskQueueKind, name: string, settings: TaskQueueSettings): TaskQueue {
  return openTaskQueue(kind, name, settings);
}
