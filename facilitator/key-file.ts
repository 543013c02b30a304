import { open, type FileHandle } from 'node:fs/promises';
import type { Logger } from 'pino';
import { ConfigurationInvalid, errorFields } from '../common/errors.ts';
import { KeyInvalid } from './errors.ts';

export interface KeyFileSettings<K> {
  readonly path: string;
  /** The option that names the file, for errors. */
  readonly option: string;
  /** @throws KeyInvalid, which names `what` and never quotes the text */
  readonly parse: (text: string, what: string) => K;
  readonly log: Logger;
}

/** Keys are a few hundred bytes each; beyond that, it is the wrong file. */
const MAX_BYTES = 1024 * 1024;

/**
 * Keys in a file that may be replaced while the program runs, as Kubernetes does with a mounted secret: it swaps a
 * symbolic link, of which file system events tell nothing, so the file is looked at whenever the keys are needed.
 */
export class KeyFile<K> {
  readonly #settings: KeyFileSettings<K>;
  #keys: K;
  /** What was read, so that it is read again only if it is another file. */
  #signature: string;

  private constructor(settings: KeyFileSettings<K>, keys: K, signature: string) {
    this.#settings = settings;
    this.#keys = keys;
    this.#signature = signature;
  }

  /** @throws ConfigurationInvalid if the file cannot be read, KeyInvalid */
  static async open<K>(settings: KeyFileSettings<K>): Promise<KeyFile<K>> {
    const { keys, signature } = await withFile(settings, async (file) => ({
      signature: await signatureOf(file),
      keys: await parseFile(file, settings),
    }));
    return new KeyFile(settings, keys, signature);
  }

  /**
   * The keys in the file. If it is gone, or holds no keys, those that it held before: a slip of the rotation shall not
   * stop a worker that has what it needs. Each time, that is an error in the log.
   */
  async current(): Promise<K> {
    const { option, path, log } = this.#settings;
    try {
      await withFile(this.#settings, async (file) => {
        // Of the same file that is read next, whatever bears its name by then.
        const signature = await signatureOf(file);
        if (signature === this.#signature) return;
        this.#keys = await parseFile(file, this.#settings);
        this.#signature = signature;
        log.info({ option, path }, 'keys were read again, as their file has changed');
      });
    } catch (err) {
      if (!(err instanceof KeyInvalid) && !(err instanceof ConfigurationInvalid)) throw err;
      log.error({ option, path, ...errorFields(err) }, 'keys cannot be read again; those read before are used');
    }
    return this.#keys;
  }
}

async function withFile<K, R>({ path, option }: KeyFileSettings<K>, use: (file: FileHandle) => Promise<R>): Promise<R> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    return await use(file);
  } catch (cause) {
    if (cause instanceof KeyInvalid) throw cause;
    throw new ConfigurationInvalid(`${option}: ${path} cannot be read`, { cause });
  } finally {
    await file?.close();
  }
}

async function signatureOf(file: FileHandle): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await file.stat({ bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

async function parseFile<K>(file: FileHandle, { path, option, parse }: KeyFileSettings<K>): Promise<K> {
  const { size } = await file.stat();
  if (size > MAX_BYTES) throw new KeyInvalid(`${option}: ${path} has ${size} bytes, as no file of keys has`);
  return parse(await file.readFile('utf8'), `${option} (${path})`);
}
