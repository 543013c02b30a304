import { mkdir, mkdtemp, open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errnoOf, unlessAbsent } from './errno.ts';

const HOUR_NS = 3_600_000_000_000n;
const LEFTOVER_NS = 24n * HOUR_NS;

/** A file in the making. Its owner calls `discard` in the end, whatever has become of it. */
export interface ScratchFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Letters and digits, unlike those of every other writer that has a directory under the same parent. */
  readonly writer: string;
  /** Counts the writer's files, from 1, in the order of the calls of `create`. */
  readonly serial: number;

  /** Closes the file and removes this name of it. Never fails: what stays behind counts as left by a dead writer. */
  discard(): Promise<void>;
}

/**
 * A directory of temporary files for one writer, made when first needed. Directories of writers that died are
 * removed then, a day after their last use.
 */
export class ScratchFiles {
  readonly #parent: string;
  #directory: Promise<string> | undefined;
  #files = 0;

  /** @param parent on the file system where the files are to go */
  constructor(parent: string) {
    this.#parent = parent;
  }

  async create(): Promise<ScratchFile> {
    const serial = ++this.#files;
    const directory = this.#ownDirectory();
    try {
      return await createIn(await directory, serial);
    } catch (err) {
      if (errnoOf(err) !== 'ENOENT') throw err;
      // We were idle for a day, and another writer took us for dead. One of our callers makes the directory anew.
      if (this.#directory === directory) this.#directory = undefined;
      return createIn(await this.#ownDirectory(), serial);
    }
  }

  #ownDirectory(): Promise<string> {
    if (!this.#directory) {
      const made = makeDirectory(this.#parent);
      this.#directory = made;
      // A failure is the first caller's to hear of; the next one tries again.
      made.catch(() => {
        if (this.#directory === made) this.#directory = undefined;
      });
    }
    return this.#directory;
  }
}

async function createIn(directory: string, serial: number): Promise<ScratchFile> {
  const path = join(directory, String(serial));
  const handle = await open(path, 'wx');
  return {
    path,
    handle,
    writer: basename(directory),
    serial,
    async discard() {
      await handle.close().catch(() => {});
      await rm(path, { force: true }).catch(() => {});
    },
  };
}

async function makeDirectory(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  const own = await mkdtemp(join(parent, '/'));
  const { mtimeNs: nowNs } = await stat(own, { bigint: true });
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const stats = await unlessAbsent(stat(path, { bigint: true }), undefined);
    // What we may not remove is another user's to remove.
    if (stats && nowNs - stats.mtimeNs > LEFTOVER_NS) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
  return own;
}
