import { mkdir, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkDirectory } from '../files/check-directory.ts';
import { errnoOf } from '../files/errno.ts';
import {
  byName,
  leaseFile,
  messageFile,
  parseLeaseFile,
  parseMessageFile,
  type Lease,
  type Message,
} from './local-names.ts';

/**
 * A queue as a directory that any number of processes share, any of which may die at any moment. All state is in the
 * names of files, one for each message:
 *
 * ```
 * ready/NAME~DELIVERIES           waits for a consumer
 * leased/NAME~DELIVERIES~EXPIRY   held by one, until EXPIRY; the delivery under way is counted
 * dead-letters/NAME~DELIVERIES    was delivered as often as permitted, without an end
 * .tmp/…                          being published
 * ```
 *
 * Every transition is one `rename` or `unlink`, which the file system does whole or not at all, and for one of several
 * callers only: the others find the old name gone. A name never comes back with another holder, since each delivery
 * raises the count.
 *
 * Other files are left alone. To have dead letters delivered once more, move them to `ready`.
 *
 * Methods throw the errors of the file system.
 */
export class LocalDirectory {
  /** `file:///dir` */
  readonly url: string;
  readonly temp: string;
  readonly ready: string;
  readonly #leased: string;
  readonly #deadLetters: string;

  constructor(directory: string) {
    const root = resolve(directory);
    this.url = pathToFileURL(root).href;
    this.temp = join(root, '.tmp');
    this.ready = join(root, 'ready');
    this.#leased = join(root, 'leased');
    this.#deadLetters = join(root, 'dead-letters');
  }

  /** Whether one can publish here. @throws ConfigurationInvalid */
  async checkPublishing(): Promise<void> {
    for (const path of [this.temp, this.ready]) await checkDirectory(path, this.url, 'write');
  }

  /** Whether one can consume from here. @throws ConfigurationInvalid */
  async checkConsuming(): Promise<void> {
    for (const path of [this.ready, this.#leased, this.#deadLetters]) await checkDirectory(path, this.url, 'write');
  }

  readyFile(message: Message): string {
    return join(this.ready, messageFile(message));
  }

  /** Oldest first. */
  readyMessages(): Promise<Message[]> {
    return entriesOf(this.ready, parseMessageFile);
  }

  /** Oldest message first. */
  leases(): Promise<Lease[]> {
    return entriesOf(this.#leased, parseLeaseFile);
  }

  /** Begins a delivery. @returns `undefined` if the message is no longer ready */
  async claim({ name, deliveries }: Message, expiresAtMs: number): Promise<Lease | undefined> {
    const lease = { name, deliveries: deliveries + 1, expiresAtMs };
    const claimed = await move(this.readyFile({ name, deliveries }), this.#leaseFile(lease));
    return claimed ? lease : undefined;
  }

  /** Begins another delivery of a message whose lease has expired. @returns `undefined` if that lease is gone */
  async takeOver(expired: Lease, expiresAtMs: number): Promise<Lease | undefined> {
    const lease = { name: expired.name, deliveries: expired.deliveries + 1, expiresAtMs };
    return (await move(this.#leaseFile(expired), this.#leaseFile(lease))) ? lease : undefined;
  }

  /** Goes on with a delivery. @returns `undefined` if the lease is gone */
  async renew(held: Lease, expiresAtMs: number): Promise<Lease | undefined> {
    const lease = { ...held, expiresAtMs };
    return (await move(this.#leaseFile(held), this.#leaseFile(lease))) ? lease : undefined;
  }

  /** @returns `undefined` if the lease is gone */
  read(lease: Lease): Promise<Uint8Array | undefined> {
    return unlessMissing<Uint8Array | undefined>(readFile(this.#leaseFile(lease)), undefined);
  }

  /** Makes the message available. @returns whether the lease was still there, as all that follow */
  release(lease: Lease): Promise<boolean> {
    return move(this.#leaseFile(lease), this.readyFile(lease));
  }

  /** Makes the message available as if this delivery had not been. */
  undo(lease: Lease): Promise<boolean> {
    return move(this.#leaseFile(lease), this.readyFile({ name: lease.name, deliveries: lease.deliveries - 1 }));
  }

  bury(lease: Lease): Promise<boolean> {
    return move(this.#leaseFile(lease), join(this.#deadLetters, messageFile(lease)));
  }

  remove(lease: Lease): Promise<boolean> {
    return unlessMissing(
      unlink(this.#leaseFile(lease)).then(() => true),
      false,
    );
  }

  #leaseFile(lease: Lease): string {
    return join(this.#leased, leaseFile(lease));
  }
}

async function entriesOf<T extends Message>(directory: string, parse: (file: string) => T | undefined): Promise<T[]> {
  const entries = await unlessMissing(readdir(directory, { withFileTypes: true }), []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => parse(entry.name))
    .filter((found) => found !== undefined)
    .sort(byName);
}

/** @returns whether `from` was there */
async function move(from: string, to: string): Promise<boolean> {
  if (await renamed(from, to)) return true;
  // Either somebody was faster, or the directory to move to is missing.
  await mkdir(dirname(to), { recursive: true });
  return renamed(from, to);
}

function renamed(from: string, to: string): Promise<boolean> {
  return unlessMissing(
    rename(from, to).then(() => true),
    false,
  );
}

/** Unlike `unlessAbsent` it lets ENOTDIR pass: a file in the place of the queue is no empty queue. */
async function unlessMissing<T>(io: Promise<T>, fallback: T): Promise<T> {
  try {
    return await io;
  } catch (err) {
    if (errnoOf(err) === 'ENOENT') return fallback;
    throw err;
  }
}
