const NOBODY = 65534;

/** Runs `body` as somebody whom the file system can refuse something: the super-user becomes `nobody` for the time. */
export async function asOrdinaryUser<T>(body: () => Promise<T>): Promise<T> {
  const isSuperUser = process.geteuid?.() === 0;
  if (isSuperUser) process.seteuid?.(NOBODY);
  try {
    return await body();
  } finally {
    if (isSuperUser) process.seteuid?.(0);
  }
}
