import { constants } from 'node:fs';
import { access, opendir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigurationInvalid } from '../../errors.ts';
import { named, unlessAbsent } from './file-errors.ts';

/**
 * Whether the directory `root` can be read, or written to; to be written to it need not exist yet, but what does exist
 * of its path must allow making it.
 * @throws ConfigurationInvalid, PermissionDenied
 */
export async function checkRoot(root: string, url: string, wanted: 'read' | 'write'): Promise<void> {
  const path = wanted === 'read' ? root : await nearestExisting(root);
  await named({ operation: wanted, url }, async () => {
    const found = await unlessAbsent(stat(path), undefined);
    if (!found) throw new ConfigurationInvalid(`${url} does not exist; create the directory or correct the location`);
    if (!found.isDirectory()) throw new ConfigurationInvalid(`${url} cannot be used: ${path} is no directory`);
    if (wanted === 'read') await (await opendir(path)).close();
    else await access(path, constants.W_OK | constants.X_OK);
  });
}

async function nearestExisting(path: string): Promise<string> {
  for (let place = path; ; place = dirname(place)) {
    // The root of the file system is its own parent and always exists.
    if (await unlessAbsent(stat(place), undefined)) return place;
  }
}
