import { scrubSecrets } from '../../common/runtime/scrub.ts';

/** One error of a chain of causes, without secrets and of bounded size. */
export interface FailureLink {
  /** `ObjectMissing`; for what is no error, its type. */
  readonly name: string;
  /** Ours, docs/errors.md, or that of a library or the system: `ECONNREFUSED`. */
  readonly code?: string;
  readonly message: string;
  /** Where it was thrown: lines `at …`, innermost first. */
  readonly stack?: string;
}

const MAX_LINKS = 12;
const MAX_MESSAGE_CHARACTERS = 2000;
const MAX_STACK_CHARACTERS = 2000;

/** First line of a stack that is no part of the message. */
const FIRST_FRAME = /^ *at /m;

/**
 * An error and all its causes, outermost first; the errors of an `AggregateError` follow it, each with its causes. What
 * is past the twelfth is left out, and long texts are cut.
 */
export function failureChain(err: unknown): FailureLink[] {
  const links: FailureLink[] = [];
  const seen = new Set<unknown>();
  const add = (error: unknown): void => {
    if (links.length === MAX_LINKS || seen.has(error)) return;
    // A cause may lead back to where it came from.
    if (error instanceof Error) seen.add(error);
    links.push(linkOf(error));
    if (error instanceof AggregateError) error.errors.forEach(add);
    if (error instanceof Error && error.cause !== undefined) add(error.cause);
  };
  add(err);
  return links;
}

function linkOf(err: unknown): FailureLink {
  if (!(err instanceof Error)) return { name: typeof err, message: shown(String(err), MAX_MESSAGE_CHARACTERS) };
  const { name, message, stack = '' } = err;
  const code = 'code' in err && (typeof err.code === 'string' || typeof err.code === 'number') ? err.code : undefined;
  const frames = stack.slice(Math.max(0, stack.search(FIRST_FRAME)));
  return {
    name,
    ...(code === undefined ? {} : { code: String(code) }),
    message: shown(message, MAX_MESSAGE_CHARACTERS),
    ...(FIRST_FRAME.test(frames) ? { stack: shown(frames, MAX_STACK_CHARACTERS) } : {}),
  };
}

/** Scrubbed before it is cut: of half a secret nobody could tell what it is. */
function shown(text: string, maxCharacters: number): string {
  const scrubbed = scrubSecrets(text);
  return scrubbed.length <= maxCharacters ? scrubbed : `${scrubbed.slice(0, maxCharacters - 1)}…`;
}
