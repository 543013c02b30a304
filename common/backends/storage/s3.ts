import type { Storage } from '../../ports/storage.ts';
import type { StorageSettings } from './settings.ts';

/** To come. */
export function openS3(_location: string, _settings: StorageSettings): Storage | undefined {
  return undefined;
}
