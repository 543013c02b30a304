import type { FileHandle } from 'node:fs/promises';
import { ScratchFiles, type ScratchFile } from '../files/scratch-files.ts';
import { stampOf, type FileStamp } from './file-state.ts';

const MICROSECOND_NS = 1000n;
/** Slices of the tick of a file system's clock, see `TempFile.stamp`. */
const SLICES = 4096;
const SUFFIX_RADIX = 36;

/** An object in the making. */
export interface TempFile extends ScratchFile {
  /**
   * Gives the file, once written, a modification time that makes its version unlike all others, later than `afterNs`.
   * @param afterNs the time of the file that this one replaces
   */
  stamp(afterNs?: bigint): Promise<FileStamp>;
}

/** Temporary files for one writer of objects. */
export class TempFiles {
  readonly #files: ScratchFiles;

  /** @param parent on the file system where the files are to go */
  constructor(parent: string) {
    this.#files = new ScratchFiles(parent);
  }

  async create(): Promise<TempFile> {
    const file = await this.#files.create();
    const slice = BigInt((Number.parseInt(file.writer, SUFFIX_RADIX) + file.serial) % SLICES);
    return { ...file, stamp: (afterNs = 0n) => stamp(file.handle, afterNs, slice) };
  }
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
