import { DspError, ObjectKeyInvalid, PermissionDenied, StorageUnavailable } from '../../errors.ts';
import { errnoOf, isRefusal } from '../files/errno.ts';

/** What we were about, for the message: `put`, `a/b`, `file:///dir`. */
export interface FileAction {
  readonly operation: string;
  readonly key?: string;
  readonly url: string;
}

const CLASHES: ReadonlySet<string | undefined> = new Set(['ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY']);

/** Runs file system calls and names their failures: `PermissionDenied`, `StorageUnavailable`, `ObjectKeyInvalid`. */
export async function named<T>(action: FileAction, io: () => Promise<T>): Promise<T> {
  try {
    return await io();
  } catch (err) {
    throw err instanceof DspError ? err : translate(action, err);
  }
}

function translate({ operation, key, url }: FileAction, cause: unknown): DspError {
  const code = errnoOf(cause);
  const message = `cannot ${operation} ${key === undefined ? '' : `'${key}' in `}${url}`;
  if (isRefusal(cause)) return new PermissionDenied(message, { cause });
  if (code === 'ENAMETOOLONG') {
    return new ObjectKeyInvalid(`${message}: the file system has no room for a name that long`, { cause });
  }
  const hint = CLASHES.has(code) ? " (a directory cannot hold both an object 'a' and an object 'a/b')" : '';
  return new StorageUnavailable(message + hint, { cause });
}
