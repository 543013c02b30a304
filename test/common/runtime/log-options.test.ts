import { expect, it } from 'vitest';
import { logOptions } from '../../../common/runtime/log-options.ts';
import { readOptions, type Args } from '../../../common/runtime/options.ts';

const read = (env: Readonly<Record<string, string>>): Args<typeof logOptions> =>
  readOptions(logOptions, { commandLine: new Map(), env, envPrefix: 'FACILITATOR' });

it.each([
  ['off', 'silent'],
  ['critical', 'fatal'],
  ['FATAL', 'fatal'],
  ['Error', 'error'],
  ['warn', 'warn'],
  ['WARNING', 'warn'],
  ['info', 'info'],
  ['debug', 'debug'],
  ['TRACE', 'trace'],
  ['crit', 'fatal'],
  ['DEBG', 'debug'],
])('RUST_LOG=%s means %s', (text, level) => {
  expect(read({ RUST_LOG: text })['log-level']).toBe(level);
});

it('has FACILITATOR_LOG_LEVEL before RUST_LOG, and info without either', () => {
  expect(read({ RUST_LOG: 'debug', FACILITATOR_LOG_LEVEL: 'error' })['log-level']).toBe('error');
  expect(read({})).toEqual({ 'log-level': 'info', 'force-json-log-output': false });
});

it.each(['verbose', 'info,hyper=warn', '3'])('refuses RUST_LOG=%s', (text) => {
  expect(() => read({ RUST_LOG: text })).toThrow(
    `--log-level (from RUST_LOG): "${text}" is none of off, critical, error, warning, info, debug, trace; example: --log-level debug`,
  );
});
