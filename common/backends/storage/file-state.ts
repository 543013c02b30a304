import { constants, type BigIntStats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import type { ObjectVersion } from '../../ports/storage.ts';
import { unlessAbsent } from '../files/errno.ts';

/** Identifies one written file: the version of the object that it holds. */
export interface FileStamp {
  readonly version: ObjectVersion;
  /** Nanoseconds since 1970, by the clock of the file system. */
  readonly mtimeNs: bigint;
}

/** A file open for reading; whoever has it closes `handle`. Stamp, size and content are of one inode. */
export interface OpenFile extends FileStamp {
  readonly handle: FileHandle;
  /** Bytes. */
  readonly size: number;
}

/** An inode number alone is no version: it is reused once the file is gone. */
export function stampOf(stats: BigIntStats): FileStamp {
  return { version: `${stats.ino}-${stats.mtimeNs}`, mtimeNs: stats.mtimeNs };
}

/** The nanoseconds in a version that `stampOf` made; `undefined` for other text. */
export function mtimeNsOf(version: string): bigint | undefined {
  const digits = /^\d+-(\d+)$/.exec(version)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

/** `undefined` if there is no regular file at `path`. */
export async function stampAt(path: string): Promise<FileStamp | undefined> {
  const stats = await unlessAbsent(stat(path, { bigint: true }), undefined);
  return stats?.isFile() === true ? stampOf(stats) : undefined;
}

/** `undefined` if there is no regular file at `path`. */
export async function openAt(path: string): Promise<OpenFile | undefined> {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  const handle = await unlessAbsent(open(path, constants.O_RDONLY | constants.O_NONBLOCK), undefined);
  if (!handle) return undefined;
  try {
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return { ...stampOf(stats), handle, size: Number(stats.size) };
  } catch (err) {
    await handle.close();
    throw err;
  }
  await handle.close();
  return undefined;
}
