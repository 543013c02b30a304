import { openStorage } from '../common/backends/storage/open.ts';
import type { Storage } from '../common/ports/storage.ts';
import { storageLocation } from '../common/runtime/option-values.ts';
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
