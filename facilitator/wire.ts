import {
  openTaskQueue,
  TASK_QUEUE_KINDS,
  type TaskQueueKind,
  type TaskQueueSettings,
} from '../common/backends/queue/open.ts';
import { checkCredentials, type Credentials } from '../common/backends/credentials/settings.ts';
import { openerOf, type StorageOpener } from '../common/backends/storage/opener.ts';
import type { StorageSettings } from '../common/backends/storage/settings.ts';
import { ConfigurationInvalid } from '../common/errors.ts';
import type { TaskQueue } from '../common/ports/queue.ts';
import type { Storage } from '../common/ports/storage.ts';
import { choice, storageLocation } from '../common/runtime/option-values.ts';
import { naming } from '../common/runtime/naming.ts';
import type { OptionSpec } from '../common/runtime/option-spec.ts';

/*
 * The one place where the facilitator's commands meet backends. An option that names a storage comes out as a function
 * that opens it once the other options are known.
 */

// Commands know no backends but through here.
export { openerOf, type StorageOpener };

const EXAMPLE = 'file:///var/lib/dsp/ingestion';

/** Whom to be at somebody's storage or queue. */
export type PartyCredentials = Credentials;

interface LocationOption {
  readonly describe: string;
  /** The reference's variable. */
  readonly legacyEnv?: string;
}

export function requiredStorage(settings: LocationOption): OptionSpec<StorageOpener> {
  return storageLocation(openerOf, { ...settings, example: EXAMPLE, required: true });
}

export function optionalStorage(settings: LocationOption): OptionSpec<StorageOpener | undefined> {
  return storageLocation(openerOf, { ...settings, example: EXAMPLE });
}

/**
 * Opens a storage as somebody.
 * @param options names of the options that say where it is and who we are there, for errors
 * @throws ConfigurationInvalid that names the option
 */
export function openAs(
  open: StorageOpener,
  credentials: StorageSettings,
  options: { readonly location: string; readonly identity: string },
): Storage {
  checkCredentials(credentials);
  // What is wrong with the location is so whoever we are.
  naming(options.location, () => open({}));
  return naming(options.identity, () => open(credentials));
}

export function taskQueueKind(settings: {
  readonly describe: string;
  readonly legacyEnv: string;
}): OptionSpec<TaskQueueKind> {
  return choice(TASK_QUEUE_KINDS, { ...settings, required: true });
}

/** The queue of that name, which has not been touched yet. @throws UsageError, ConfigurationInvalid */
export async function openTasks(kind: TaskQueueKind, name: string, settings: TaskQueueSettings): Promise<TaskQueue> {
  checkCredentials(settings.credentials ?? {});
  if (kind === 'local' && settings.credentials?.identity !== undefined) {
    throw new ConfigurationInvalid('--task-queue-identity: a queue of kind local takes no identity: leave it out');
  }
  return openTaskQueue(kind, name, settings);
}
