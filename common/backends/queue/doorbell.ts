import { watch, type FSWatcher } from 'node:fs';
import { mkdir } from 'node:fs/promises';

/**
 * Tells when something may have changed in a directory: by the system's notice, where it gives any, or when somebody
 * in this process rings. Uses nothing while it is not armed.
 */
export class Doorbell {
  readonly #directory: string;
  #watcher: FSWatcher | undefined;
  #rung = false;
  #wake: (() => void) | undefined;

  /** @param directory made when first armed */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Takes notice from now on: what happens before the next `wait` ends that at once.
   * @returns whether it did not before, so that the caller must look again for what happened in between
   */
  async arm(): Promise<boolean> {
    if (this.#watcher) return false;
    await mkdir(this.#directory, { recursive: true });
    try {
      const watcher = watch(this.#directory, () => this.ring());
      watcher.on('error', () => this.#unwatch());
      this.#watcher = watcher;
      return true;
    } catch {
      // The system has no watch left, or cannot watch this file system: the waits' own ends have to do.
      return false;
    }
  }

  /** Resolves when it rings, or has rung since the last wait; at the latest after `timeoutMs`. */
  async wait(timeoutMs: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          // The watched directory may have been replaced by another of its name.
          this.#unwatch();
          resolve();
        }, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#rung = false;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  disarm(): void {
    this.#unwatch();
    this.#rung = false;
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
