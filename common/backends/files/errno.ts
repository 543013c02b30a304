const REFUSALS: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS']);

/** The code of a file system error (`ENOENT`), if it is one. */
export function errnoOf(err: unknown): string | undefined {
  return err instanceof Error && 'code' in err && typeof err.code === 'string' ? err.code : undefined;
}

/** Whether the system did not let us. */
export function isRefusal(err: unknown): boolean {
  return REFUSALS.has(errnoOf(err));
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
