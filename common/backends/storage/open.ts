import { fileURLToPath } from 'node:url';
import { UsageError } from '../../errors.ts';
import type { Storage } from '../../ports/storage.ts';
import { FileStorage } from './file.ts';
import { MemoryStorage } from './memory.ts';

interface Backend {
  /** For the message about a location that cannot be opened. */
  readonly example: string;
  /** @returns `undefined` if the location is not of the backend's form */
  readonly open: (location: string) => Storage | undefined;
}

/** A backend is a row here and a file beside this one. */
const BACKENDS: ReadonlyMap<string, Backend> = new Map([
  ['file', { example: 'file:///var/lib/dsp', open: openFile }],
  ['memory', { example: 'memory://name', open: openMemory }],
]);

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;

const memories = new Map<string, MemoryStorage>();

/**
 * The storage at `location`: `file:///dir` (percent-encoded), a path (`/dir`, `dir`), or `memory://name`, of which
 * there is one for each name in this process. Nothing is read or written yet.
 * @throws UsageError for other locations
 */
export function openStorage(location: string): Storage {
  const scheme = SCHEME.exec(location)?.[1]?.toLowerCase();
  const storage = scheme === undefined ? openPath(location) : BACKENDS.get(scheme)?.open(location);
  if (!storage) throw unknownLocation(location);
  return storage;
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
