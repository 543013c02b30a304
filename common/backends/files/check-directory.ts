import { constants } from 'node:fs';
import { access, opendir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigurationInvalid } from '../../errors.ts';
import { unlessAbsent } from './errno.ts';

/**
 * Whether the directory at `path` can be read, or written to; to be written to it need not exist yet, but what does
 * exist of its path must allow making it. Errors of the file system pass through as they are.
 * @param url what the message calls it
 * @throws ConfigurationInvalid
 */
export async function checkDirectory(path: string, url: string, wanted: 'read' | 'write'): Promise<void> {
  const place = wanted === 'read' ? path : await nearestExisting(path);
  const found = await unlessAbsent(stat(place), undefined);
  if (!found) throw new ConfigurationInvalid(`${url} does not exist; create the directory or correct the location`);
  if (!found.isDirectory()) throw new ConfigurationInvalid(`${url} cannot be used: ${place} is no directory`);
  if (wanted === 'read') await (await opendir(place)).close();
  else await access(place, constants.W_OK | constants.X_OK);
}

async function nearestExisting(path: string): Promise<string> {
  for (let place = path; ; place = dirname(place)) {
    // The root of the file system is its own parent and always exists.
    if (await unlessAbsent(stat(place), undefined)) return place;
  }
}
