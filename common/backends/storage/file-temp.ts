import { mkdir, mkdtemp, open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errnoOf, unlessAbsent } from './file-errors.ts';
import { stampOf, type FileStamp } from './file-state.ts';

const HOUR_NS = 3_600_000_000_000n;
const LEFTOVER_NS = 24n * HOUR_NS;
const MICROSECOND_NS = 1000n;
/** Slices of the tick of a file system's clock, see `TempFile.stamp`. */
const SLICES = 4096;
const SUFFIX_RADIX = 36;

/** A file in the making. Its owner calls `discard` in the end, whatever has become of it. */
export interface TempFile {
  readonly path: string;
  readonly handle: FileHandle;

  /**
   * Gives the file, once written, a modification time that makes its version unlike all others, later than `afterNs`.
   * @param afterNs the time of the file that this one replaces
   */
  stamp(afterNs?: bigint): Promise<FileStamp>;

  /** Closes the file and removes this name of it. Never fails: what stays behind counts as left by a dead writer. */
  discard(): Promise<void>;
}

/**
 * A directory of temporary files for one writer, made when first needed. Directories of writers that died are
 * removed then, a day after their last use.
 */
export class TempFiles {
  readonly #parent: string;
  #directory: Promise<string> | undefined;
  #files = 0;

  /** @param parent on the file system where the files are to go */
  constructor(parent: string) {
    this.#parent = parent;
  }

  async create(): Promise<TempFile> {
    try {
      return await this.#createIn(await this.#ownDirectory());
    } catch (err) {
      if (errnoOf(err) !== 'ENOENT') throw err;
      // We were idle for a day, and another writer took us for dead.
      this.#directory = undefined;
      return this.#createIn(await this.#ownDirectory());
    }
  }

  async #createIn(directory: string): Promise<TempFile> {
    const serial = ++this.#files;
    const path = join(directory, String(serial));
    const handle = await open(path, 'wx');
    const seed = Number.parseInt(basename(directory), SUFFIX_RADIX);
    return {
      path,
      handle,
      stamp: (afterNs = 0n) => stamp(handle, afterNs, BigInt((seed + serial) % SLICES)),
      async discard() {
        await handle.close().catch(() => {});
        await rm(path, { force: true }).catch(() => {});
      },
    };
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

/**
 * The clock of a file system may tick as slowly as every 10 ms. Within one tick a file can be written and removed and
 * its inode number given to another file, which would be of the same version. So the time moves on by a number of
 * microseconds that differs from file to file (`slice`), and past the predecessor's in any case.
 */
async function stamp(handle: FileHandle, afterNs: bigint, slice: bigint): Promise<FileStamp> {
  const { mtimeNs: writtenNs } = await handle.stat({ bigint: true });
  let targetNs = writtenNs > afterNs ? writtenNs + slice * MICROSECOND_NS : afterNs + MICROSECOND_NS;
  for (let stepNs = MICROSECOND_NS; ; stepNs *= 2n) {
    // In the middle of the microsecond: Node cuts off what is below one, which may be more than we added.
    const seconds = (Number(targetNs / MICROSECOND_NS) + 0.5) / 1e6;
    await handle.utimes(seconds, seconds);
    const stamped = stampOf(await handle.stat({ bigint: true }));
    // Rounding, ours or that of a file system that keeps whole seconds, may take the step back: take a longer one.
    if (stamped.mtimeNs > afterNs) return stamped;
    targetNs = afterNs + stepNs;
  }
}
