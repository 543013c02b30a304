import { createHash } from 'node:crypto';
import { link, readdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectVersion } from '../../ports/storage.ts';
import { errnoOf, isAbsence, unlessAbsent } from '../files/errno.ts';
import { withParents } from '../files/parents.ts';
import { mtimeNsOf, openAt, stampAt, type FileStamp, type OpenFile } from './file-state.ts';
import type { TempFile } from './file-temp.ts';

/** How long the way from an old state to the newest is kept. */
const KEPT_NS = 3_600_000_000_000n;
/** Reading the directory at every replacement would cost a busy object too much. */
const REPLACEMENTS_PER_SWEEP = 32;

/**
 * Replaces plain files on condition, among processes that may die at any moment, without locks.
 *
 * `<directory>/<sha-256 of the key>/<version>` is a hard link to the file that replaced that version. Making the
 * link is the replacement: the file system lets one caller succeed, and from then on everybody who comes upon the
 * old version goes on to the new. Only then does the winner move the new file over the plain one, which is thus a copy
 * that may lag behind, if the winner is slow or dies, but never leads astray: whichever state it shows, the links lead
 * to the newest. Times of modification rise along the chain, so that it has no rings.
 *
 * Limits. A process that stands still for more than an hour between looking at the newest state and the next call may
 * undo replacements, as the links of that time are removed. If a `delete`, or a `put` of a key that had no chain yet,
 * overlaps with a replacement, the last call to reach the disk decides. Other programs see a replacement whose
 * winner died only after the next. Each replacement occupies a file for an hour, and then until a later one sweeps.
 */
export class FileChain {
  readonly #directory: string;
  #replacements = 0;

  /** @param directory on the file system of the plain files */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The newest state of the object at `path`; `undefined` if there is none. */
  async open(key: string, path: string): Promise<OpenFile | undefined> {
    let file = await openAt(path);
    for (let next = file; next; next = await this.#nextFile(key, next)) file = next;
    return file;
  }

  /** The same without opening it. */
  async stamp(key: string, path: string): Promise<FileStamp | undefined> {
    let stamp = await stampAt(path);
    for (let next = stamp; next; next = await stampAt(this.#link(key, next.version))) stamp = next;
    return stamp;
  }

  /** Whether the object was ever replaced on condition since it was created. */
  async has(key: string): Promise<boolean> {
    return (await unlessAbsent(readdir(this.#chain(key)), [])).length > 0;
  }

  /**
   * Makes `temp` the newest state if `version` still is.
   * @returns the new version, or `undefined` if another state is the newest
   */
  async replace(key: string, path: string, version: ObjectVersion, temp: TempFile): Promise<ObjectVersion | undefined> {
    const newest = await this.stamp(key, path);
    if (newest?.version !== version) return undefined;
    const own = await temp.stamp(newest.mtimeNs);
    const next = this.#link(key, version);
    if (!(await linkNew(temp.path, next))) return undefined;
    if ((await this.stamp(key, path))?.version === own.version) {
      await rename(temp.path, path);
      // Only after the plain file has left the states behind whose links go now. The replacement stands, sweep or no.
      if (this.#replacements++ % REPLACEMENTS_PER_SWEEP === 0) await this.#sweep(key, own.mtimeNs).catch(() => {});
      return own.version;
    }
    // Ours was replaced in turn: others have come by it, and move the plain file on.
    if (await stampAt(this.#link(key, own.version))) return own.version;
    // The object was deleted or overwritten under our hands, so our link leads nobody anywhere.
    await rm(next, { force: true });
    return undefined;
  }

  /** Removes the plain file and its chain. */
  async delete(key: string, path: string): Promise<void> {
    // Read first: once the plain file is gone, others may create it anew and begin a chain that we must not touch.
    const versions = await unlessAbsent(readdir(this.#chain(key)), []);
    await removeFile(path);
    for (const version of versions) await rm(this.#link(key, version), { force: true });
    await rmdir(this.#chain(key)).catch(() => {});
  }

  async #nextFile(key: string, file: OpenFile): Promise<OpenFile | undefined> {
    try {
      const next = await openAt(this.#link(key, file.version));
      if (next) await file.handle.close();
      return next;
    } catch (err) {
      await file.handle.close();
      throw err;
    }
  }

  async #sweep(key: string, nowNs: bigint): Promise<void> {
    // The chain is gone if somebody deletes the object meanwhile.
    const links = (await unlessAbsent(readdir(this.#chain(key)), []))
      .map((version) => ({ version, madeNs: mtimeNsOf(version) ?? nowNs }))
      .sort((a, b) => Number(a.madeNs - b.madeNs));
    for (const [i, { version }] of links.entries()) {
      // Times rise along the chain, so that the next link bears the time of the file that this one leads to.
      const replacedNs = links[i + 1]?.madeNs ?? nowNs;
      if (nowNs - replacedNs > KEPT_NS) await rm(this.#link(key, version), { force: true });
    }
  }

  #chain(key: string): string {
    return join(this.#directory, createHash('sha256').update(key).digest('hex'));
  }

  #link(key: string, version: ObjectVersion): string {
    return join(this.#chain(key), version);
  }
}

/** Gives the file at `from` a second name. @returns whether the name was free */
export async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await withParents(to, () => link(from, to));
    return true;
  } catch (err) {
    // A directory of that name is not the same thing as somebody's file.
    if (errnoOf(err) !== 'EEXIST' || (await isDirectory(to))) throw err;
    return false;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await unlessAbsent(stat(path), undefined))?.isDirectory() === true;
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (err) {
    // Platforms differ in the error for a directory, which is no object and thus fine.
    if (!isAbsence(err) && (await stampAt(path))) throw err;
  }
}
