import type { LocalDirectory } from './local-directory.ts';
import type { Message } from './local-names.ts';

/** So that a consumer does not read a long directory again for every message. */
const KEPT_MESSAGES = 256;
/** Messages that others give back are older than what is kept, and wait that long at most. */
const KEPT_MS = 250;

/** The oldest messages that are ready, as far as it was last seen: others may have taken them since. */
export class LocalBacklog {
  readonly #directory: LocalDirectory;
  /** Newest first, so that the oldest is popped. */
  #seen: Message[] = [];
  #expiry: NodeJS.Timeout | undefined;

  constructor(directory: LocalDirectory) {
    this.#directory = directory;
  }

  /** What was seen and not yet taken, or, if that is nothing, what is ready now. Oldest first; each comes once. */
  async *candidates(): AsyncGenerator<Message, void, undefined> {
    yield* this.#rest();
    this.#see(await this.#directory.readyMessages());
    yield* this.#rest();
  }

  /** Look again next time: something old may have come back. */
  forget(): void {
    clearTimeout(this.#expiry);
    this.#seen = [];
  }

  #see(messages: readonly Message[]): void {
    this.forget();
    this.#seen = messages.slice(0, KEPT_MESSAGES).toReversed();
    this.#expiry = setTimeout(() => this.forget(), KEPT_MS).unref();
  }

  *#rest(): Generator<Message, void, undefined> {
    for (let message = this.#seen.pop(); message; message = this.#seen.pop()) yield message;
  }
}
