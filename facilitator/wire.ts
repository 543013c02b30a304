import {
  openTaskQueue,
  TASK_QUEUE_KINDS,
  type TaskQueueKind,
  type TaskQueueSettings,
} from '../common/backends/queue/open.ts';
import { checkCredentials, type Credentials } from '../common/backends/credentials/settings.ts';
import { openStorage } from '../common/backends/storage/open.ts';
import type { StorageSettings } from '../common/backends/storage/settings.ts';
import { ConfigurationInvalid } from '../common/errors.ts';
import type { TaskQueue } from '../common/ports/queue.ts';
import type { Storage } from '../common/ports/storage.ts';
import { choice, storageLocation } from '../common/runtime/option-values.ts';
import type { OptionSpec } from '../common/runtime/option-spec.ts';

/*
 * The one place where the facilitator's commands meet backends. An option that names a storage comes out as a function
 * that opens it once the other options are known.
 */

const EXAMPLE = 'file:///var/lib/dsp/ingestion';

/** Whom to be at somebody's storage or queue. */
export type PartyCredentials = Credentials;

/** A storage to be opened once the other options are known; nothing is touched by that. */
export type StorageOpener = (settings: StorageSettings) => Storage;

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

/** @throws UsageError if the location is of no form that is known */
export function openerOf(location: string): StorageOpener {
  try {
    openStorage(location);
  } catch (err) {
    // The location is well-formed; what is wrong with it is told, and counts, when it is opened.
    if (!(err instanceof ConfigurationInvalid)) throw err;
  }
  return (settings) => openStorage(location, settings);
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

/** Does what can fail by an option, whose name the error then begins with. */
function naming<T>(option: string, work: () => T): T {
  try {
    return work();
  } catch (err) {
    if (!(err instanceof ConfigurationInvalid)) throw err;
    throw new ConfigurationInvalid(`${option}: ${err.message}`, { cause: err.cause });
  }
}

export function taskQueueKind(settings: {
  readonly describe: string;
  readonly legacyEnv: string;
}): OptionSpec<TaskQueueKind> {
  return choice(TASK_QUEUE_KINDS, { ...settings, required: true });
}

/** The queue of that name, which has not been touched yet. @throws UsageError, ConfigurationInvalid */
export function openTasks(kind: TaskQueueKind, name: string, settings: TaskQueueSettings): TaskQueue {
  checkCredentials(settings.credentials ?? {});
  if (kind === 'local' && settings.credentials?.identity !== undefined) {
    throw new ConfigurationInvalid('--task-queue-identity: a queue of kind local takes no identity: leave it out');
  }
  return openTaskQueue(kind, name, settings);
}
