import { isIP } from 'node:net';
import { logOptions } from '../../common/runtime/log-options.ts';
import type { Logger } from '../../common/runtime/log.ts';
import type { Parsed } from '../../common/runtime/option-spec.ts';

/**
 * Sets the least severity of the lines of a logger and of all its children, also those that there are already.
 * @param text as `--log-level` takes it; white space around it does not matter
 */
export function setLogLevel(log: Logger, text: string): Parsed<string> {
  const parsed = logOptions['log-level'].read([text.trim()]);
  if ('refused' in parsed) return { refused: parsed.refused };
  const change = { log_level_before: log.level, log_level: parsed.value };
  const isHeard = log.isLevelEnabled('info');
  // Before or after, whichever lets it through.
  if (isHeard) log.info(change, 'log level changed');
  log.level = parsed.value;
  if (!isHeard) log.info(change, 'log level changed');
  return { value: parsed.value };
}

/** What proxies add to a request; with any of these, whoever asks is elsewhere, whatever the address. */
const FORWARDING_HEADERS = ['forwarded', 'x-forwarded-for', 'via'] as const;

/** Whether a request comes from this machine (in Kubernetes: this pod): 127.0.0.0/8 or ::1, and by no proxy. */
export function isFromLoopback(remoteAddress: string | undefined, headers: Readonly<Record<string, unknown>>): boolean {
  if (remoteAddress === undefined || FORWARDING_HEADERS.some((name) => headers[name] !== undefined)) return false;
  // A socket for both families shows IPv4 addresses so.
  const address = remoteAddress.replace(/^::ffff:/i, '');
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}
