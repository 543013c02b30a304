import { mkdir, rename, type FileHandle } from 'node:fs/promises';
import pLimit from 'p-limit';
import type { Enqueuer } from '../../ports/queue.ts';
import { withParents } from '../files/parents.ts';
import { ScratchFiles } from '../files/scratch-files.ts';
import { LocalDirectory } from './local-directory.ts';
import { named } from './local-errors.ts';
import { DirectoryFlush } from './local-flush.ts';
import { messageName } from './local-names.ts';

/** Each message being written holds a file open, and processes may have as few as 256. */
const FILES_AT_ONCE = 64;

export interface LocalEnqueuerOptions {
  /** Made when first published to. */
  readonly directory: string;
  /** Gives messages their order. */
  readonly clock: () => Date;
}

/**
 * Publishes to a directory; see `LocalDirectory`. A message is written to a hidden file, flushed, and then gets its
 * name: a consumer sees it whole or not at all, also when the publisher dies.
 */
export class LocalEnqueuer implements Enqueuer {
  readonly url: string;
  readonly #directory: LocalDirectory;
  readonly #scratch: ScratchFiles;
  readonly #flush: DirectoryFlush;
  readonly #clock: () => Date;
  readonly #limit = pLimit(FILES_AT_ONCE);

  constructor({ directory, clock }: LocalEnqueuerOptions) {
    this.#directory = new LocalDirectory(directory);
    this.url = this.#directory.url;
    this.#scratch = new ScratchFiles(this.#directory.temp);
    this.#flush = new DirectoryFlush(this.#directory.ready);
    this.#clock = clock;
  }

  /** As the port has it, and takes bytes as they are, too. */
  async publish(body: string | Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.#limit(() => this.#store(body, signal));
  }

  async check(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await named(`use ${this.url}`, () => this.#directory.checkPublishing());
  }

  async create(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await named(`create ${this.url}`, () => mkdir(this.#directory.ready, { recursive: true }));
  }

  /** Nothing is kept open between calls. */
  async [Symbol.asyncDispose](): Promise<void> {}

  async #store(body: string | Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const action = `publish to ${this.url}`;
    const publishedAtMs = this.#clock().getTime();
    const file = await named(action, () => this.#scratch.create());
    try {
      await named(action, () => writeAndFlush(file.handle, body));
      signal?.throwIfAborted();
      const name = messageName(publishedAtMs, file.serial, file.writer);
      const path = this.#directory.readyFile({ name, deliveries: 0 });
      await named(action, () => withParents(path, () => rename(file.path, path)));
      await named(action, () => this.#flush.flush());
    } finally {
      await file.discard();
    }
  }
}

async function writeAndFlush(handle: FileHandle, body: string | Uint8Array): Promise<void> {
  await handle.writeFile(body);
  await handle.datasync();
}
