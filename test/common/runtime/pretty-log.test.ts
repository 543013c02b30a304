import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { createLogger } from '../../../common/runtime/log.ts';
import { prettyWriter } from '../../../common/runtime/pretty-log.ts';

function prettyLines(colour: boolean): string[] {
  const written: string[] = [];
  const write = prettyWriter((text) => written.push(text), colour);
  const log = createLogger({ level: 'debug', version: '1', clock: () => new Date('2026-11-21T10:00:00Z'), write });
  log.debug('a');
  log.warn({ batch_id: 'b', token: 's3cr3t' }, 'c');
  log.fatal({ error: 'e', stack: 'f' }, 'd');
  return written;
}

it('prints a line of text per event, at once', () => {
  expect(prettyLines(false)).toEqual([
    '[2026-11-21T10:00:00Z] DEBUG: a\n',
    '[2026-11-21T10:00:00Z] WARNING: c {"batch_id":"b","token":"[redacted]"}\n',
    '[2026-11-21T10:00:00Z] CRITICAL: d {"error":"e","stack":"f"}\n',
  ]);
});

it('colours only if told so', () => {
  const coloured = prettyLines(true);
  expect(coloured.join('')).toContain('\u001b[33mWARNING');
  expect(coloured.map(stripVTControlCharacters)).toEqual(prettyLines(false));
});
