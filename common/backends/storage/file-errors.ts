import { DspError, ObjectKeyInvalid, PermissionDenied, StorageUnavailable } from '../../errors.ts';

/** What we were about, for the message: `put`, `a/b`, `file:///dir`. */
export interface FileAction {
  readonly operation: string;
  readonly key?: string;
  readonly url: string;
}

const REFUSALS: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS']);
const CLASHES: ReadonlySet<string | undefined> = new Set(['ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY']);

/** The code of a file system error (`ENOENT`), if it is one. */
export function errnoOf(err: unknown): string | undefined {
  return err instanceof Error && 'code' in err && typeof err.code === 'string' ? err.code : undefined;
}

/** Whether the path leads nowhere: the file is missing, or a file stands where a directory should. */
export function isAbsence(err: unknown): boolean {
  const code = errnoOf(err);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Gives `fallback` if `io` fails because the path leads nowhere. */
export async function unlessAbsent<T, F>(io: Promise<T>, fallback: F): Promise<T | F> {
  try {
    return await io;
  } catch (err) {
    if (isAbsence(err)) return fallback;
    throw err;
  }
}

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
  if (REFUSALS.has(code)) return new PermissionDenied(message, { cause });
  if (code === 'ENAMETOOLONG') {
    return new ObjectKeyInvalid(`${message}: the file system has no room for a name that long`, { cause });
  }
  const hint = CLASHES.has(code) ? " (a directory cannot hold both an object 'a' and an object 'a/b')" : '';
  return new StorageUnavailable(message + hint, { cause });
}
