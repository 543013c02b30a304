import { ConfigurationInvalid } from '../../errors.ts';
import type { Storage } from '../../ports/storage.ts';
import { openStorage } from './open.ts';
import type { StorageSettings } from './settings.ts';

/** A storage to be opened once the other options are known; nothing is touched by that. */
export type StorageOpener = (settings: StorageSettings) => Storage;

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
