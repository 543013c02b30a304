import { open } from 'node:fs/promises';

/**
 * Makes new names in a directory survive a loss of power. A flush takes about as long for a hundred names as for one,
 * so that callers who come while one is under way share the next.
 */
export class DirectoryFlush {
  readonly #path: string;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Resolves once every name made before the call is stored. */
  flush(): Promise<void> {
    // One under way may have begun before the caller's name was made.
    this.#next ??= this.#afterCurrent();
    return this.#next;
  }

  async #afterCurrent(): Promise<void> {
    // Its failure is its callers' to hear of.
    await this.#current.catch(() => {});
    this.#current = flushDirectory(this.#path);
    this.#next = undefined;
    await this.#current;
  }
}

async function flushDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
