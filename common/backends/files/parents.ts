import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './errno.ts';

const ATTEMPTS = 4;

/** Runs `io`, which makes the name `path`, and makes the directories for it if they are missing. */
export async function withParents<T>(path: string, io: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await io();
    } catch (err) {
      // Somebody may remove the directory, being empty, before we are back; not for ever.
      if (errnoOf(err) !== 'ENOENT' || attempt === ATTEMPTS) throw err;
      await mkdir(dirname(path), { recursive: true });
    }
  }
}
