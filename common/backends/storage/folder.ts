/**
 * `Storage.listFolder` over a listing that starts anywhere for little: one for each name, of which only the first key
 * is read.
 * @param listFrom keys that begin with `prefix`, at or after `startAt`, ascending
 */
export async function* folderByJumps(
  prefix: string,
  listFrom: (startAt: string) => AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  let startAt = prefix;
  for (;;) {
    const key = await first(listFrom(startAt));
    if (key === undefined) return;
    const slash = key.indexOf('/', prefix.length);
    if (slash < 0) {
      yield key;
      // The next key that there can be: a blank is the least character of a key.
      startAt = `${key} `;
    } else {
      yield key.slice(0, slash + 1);
      // '0' comes right after '/', so this is the first key behind the whole folder.
      startAt = `${key.slice(0, slash)}0`;
    }
  }
}

async function first(keys: AsyncIterable<string>): Promise<string | undefined> {
  for await (const key of keys) return key;
  return undefined;
}
