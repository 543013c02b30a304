import { fileURLToPath } from 'node:url';
import { ConfigurationInvalid, UsageError } from '../../errors.ts';
import type { Storage } from '../../ports/storage.ts';
import { countedStorage } from './counted.ts';
import { FileStorage } from './file.ts';
import { openGcs } from './gcs.ts';
import { MemoryStorage } from './memory.ts';
import { openS3 } from './s3.ts';
import type { StorageSettings } from './settings.ts';

interface Backend {
  /** For the message about a location that cannot be opened. */
  readonly example: string;
  /**
   * @returns `undefined` if the location is not of the backend's form
   * @throws ConfigurationInvalid if it is, but cannot work with these settings
   */
  readonly open: (location: string, settings: StorageSettings) => Storage | undefined;
}

/** A backend is a row here and a file beside this one. docs/adding-a-backend.md */
const BACKENDS: ReadonlyMap<string, Backend> = new Map([
  ['gs', { example: 'gs://bucket/prefix', open: openGcs }],
  ['s3', { example: 's3://region/bucket/prefix', open: openS3 }],
  ['file', { example: 'file:///var/lib/dsp', open: ofThisMachine(openFile) }],
  ['memory', { example: 'memory://name', open: ofThisMachine(openMemory) }],
]);

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;

const memories = new Map<string, MemoryStorage>();

/**
 * The storage at `location`: `gs://bucket[/prefix]`, `s3://region/bucket[/prefix]`, `file:///dir` (percent-encoded), a
 * path (`/dir`, `dir`), or `memory://name`, of which there is one for each name in this process. Nothing is read or
 * written yet.
 * @throws UsageError for other locations, ConfigurationInvalid for settings that the storage cannot have
 */
export function openStorage(location: string, settings: StorageSettings = {}): Storage {
  const scheme = SCHEME.exec(location)?.[1]?.toLowerCase();
  const open = scheme === undefined ? ofThisMachine(openPath) : BACKENDS.get(scheme)?.open;
  const storage = open?.(location, settings);
  if (!storage) throw unknownLocation(location);
  return storage;
}

function ofThisMachine(open: (location: string) => Storage | undefined): Backend['open'] {
  return (location, { identity, onRequest }) => {
    const storage = open(location);
    if (storage && identity !== undefined) {
      throw new ConfigurationInvalid(
        `${storage.url} takes no identity: leave it out, or give a gs:// or s3:// location`,
      );
    }
    return storage && onRequest ? countedStorage(storage, onRequest) : storage;
  };
}

function openPath(path: string): Storage | undefined {
  return path === '' || path.includes('\0') ? undefined : new FileStorage(path);
}

function openFile(location: string): Storage | undefined {
  // A host would be ignored, as would what follows an unencoded `?` or `#`: the storage would be another directory.
  if (!/^file:\/\/\/[^?#]*$/i.test(location)) return undefined;
  try {
    return openPath(fileURLToPath(location));
  } catch (err) {
    throw unknownLocation(location, err);
  }
}

function openMemory(location: string): Storage | undefined {
  const name = /^memory:\/\/([\w.-]+)$/i.exec(location)?.[1];
  if (name === undefined) return undefined;
  const storage = memories.get(name) ?? new MemoryStorage(name);
  memories.set(name, storage);
  return storage;
}

function unknownLocation(location: string, cause?: unknown): UsageError {
  const shown = location.replace(/\/\/[^/]*@/, '//…@');
  const forms = [...BACKENDS.values()].map(({ example }) => example);
  return new UsageError(
    `${JSON.stringify(shown)} is no storage: give a path, or a URL like ${forms.join(' or ')}`,
    cause === undefined ? {} : { cause },
  );
}
