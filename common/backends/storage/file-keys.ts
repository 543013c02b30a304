import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { objectKeyFault } from '../../domain/object-key.ts';
import type { ListOptions } from '../../ports/storage.ts';
import { unlessAbsent } from '../files/errno.ts';
import { named } from './file-errors.ts';

/**
 * The keys of the regular files under `root`, in ascending ASCII order of the whole key. Holds the names of one
 * directory for each level; directories that cannot have a key that is asked for are not read.
 *
 * A directory counts as its name with the slash, so that `a-1` < `a.txt` < `a/b` as in the order of keys.
 */
export async function* fileKeys(
  root: string,
  url: string,
  { prefix = '', startAt = '', endBefore, signal }: ListOptions,
): AsyncGenerator<string, void, undefined> {
  // Directories end in a slash; the smallest is on top.
  const pending = [prefix.slice(0, prefix.lastIndexOf('/') + 1)];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    signal?.throwIfAborted();
    // So are all that are pending, and all keys of directories.
    if (endBefore !== undefined && next >= endBefore) return;
    if (next === '' || next.endsWith('/')) {
      const names = await named({ operation: `list '${next}' of`, url }, () => keysIn(root, next));
      const matches = names.filter((key) => canMatch(key, prefix, startAt)).sort();
      // One by one: a directory may have more names than a call can have arguments.
      for (const key of matches.toReversed()) pending.push(key);
    } else {
      yield next;
    }
  }
}

/** The keys of the files in `directory` (`''` or `a/b/`), and its directories as `a/b/c/`, in no order. */
async function keysIn(root: string, directory: string): Promise<string[]> {
  // The prefix is the caller's: `../` must not lead out of the root, and no key begins with it.
  if (directory !== '' && objectKeyFault(directory.slice(0, -1)) !== undefined) return [];
  const entries = await unlessAbsent(readdir(join(root, directory), { withFileTypes: true }), []);
  return entries
    .filter((entry) => objectKeyFault(directory + entry.name) === undefined)
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => directory + entry.name + (entry.isDirectory() ? '/' : ''));
}

function canMatch(key: string, prefix: string, startAt: string): boolean {
  if (!key.endsWith('/')) return key.startsWith(prefix) && key >= startAt;
  // A directory that is neither at or after `startAt` nor above it differs from it early, as do all its keys.
  const fits = key.startsWith(prefix) || prefix.startsWith(key);
  return fits && (key >= startAt || startAt.startsWith(key));
}
