import { namesKeyMaterial } from './redact.ts';

const REDACTED = '[redacted]';

const PEM = /-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g;
const USER_INFO = /\/\/[^/@\s]+@/g;
const JSON_WEB_TOKEN = /\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g;
const GOOGLE_TOKEN = /\bya29\.[\w.-]+/g;
const AUTHORIZATION = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;
/** `name=value` and `"name":"value"`. */
const ASSIGNMENT = /\b([A-Za-z][\w-]*)(=|["']\s*:\s*["'])([^\s"'&,;}]+)/g;
/** `name: value`, of what is too long for a word. */
const HEADER = /\b([A-Za-z][\w-]*)(["']?:\s*)([\w+=.-][\w+/=.-]{15,})/g;
/** Query parameters of signed URLs, which `namesKeyMaterial` does not know. */
const URL_SIGNATURE = /^(?:x-(?:amz|goog)-(?:signature|credential)|sig|signature)$/i;
const BASE64_RUN = /[A-Za-z0-9+/]{40,}={0,2}/g;
/** Digests of 32 bytes look the same, and are no loss. */
const BASE64_OF_32_BYTES = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=(?!=)/g;
/** Characters without a slash in between; in paths stretches as long and as mixed are rare, in keys they are not. */
const MIN_STRETCH = 16;

/**
 * A text of an error without what looks like key material: PEM, passwords in URLs, tokens, assignments to telling names,
 * and long base64. Nobody is supposed to put it there, but libraries quote requests and answers.
 */
export function scrubSecrets(text: string): string {
  return text
    .replace(PEM, REDACTED)
    .replace(USER_INFO, '//…@')
    .replace(JSON_WEB_TOKEN, REDACTED)
    .replace(GOOGLE_TOKEN, REDACTED)
    .replace(AUTHORIZATION, `$1 ${REDACTED}`)
    .replace(ASSIGNMENT, redactIfTelling)
    .replace(HEADER, redactIfTelling)
    .replace(BASE64_RUN, (run) => (isMixed(run) ? REDACTED : run))
    .replace(BASE64_OF_32_BYTES, REDACTED);
}

function redactIfTelling(whole: string, name: string, sign: string): string {
  return namesKeyMaterial(name) || URL_SIGNATURE.test(name) ? `${name}${sign}${REDACTED}` : whole;
}

function isMixed(run: string): boolean {
  return run
    .split('/')
    .some((part) => part.length >= MIN_STRETCH && /[A-Z]/.test(part) && /[a-z]/.test(part) && /\d/.test(part));
}
