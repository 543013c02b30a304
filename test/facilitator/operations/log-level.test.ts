import { describe, expect, it } from 'vitest';
import { isFromLoopback, setLogLevel } from '../../../facilitator/operations/log-level.ts';
import { memoryLogger } from '../../support/memory-log.ts';

describe('the log level', () => {
  it('is changed for a logger and for the children that it has already', () => {
    const { log, lines } = memoryLogger('info');
    const child = log.child({ of: 'root' }).child({ of: 'child' });
    child.debug('unheard');
    expect(setLogLevel(log, 'debug')).toEqual({ value: 'debug' });
    child.debug('heard');
    log.child({}).debug('heard too');
    setLogLevel(log, 'ERROR\n');
    child.warn('unheard again');
    expect(lines.map(({ message }) => message)).toEqual([
      'log level changed',
      'heard',
      'heard too',
      'log level changed',
    ]);
  });

  it.each([
    ['silent to debug', 'silent', 'debug'],
    ['debug to silent', 'debug', 'off'],
  ] as const)('tells of a change from %s', (_, before, after) => {
    const { log, lines } = memoryLogger(before);
    setLogLevel(log, after);
    expect(lines).toMatchObject([{ log_level_before: before, message: 'log level changed' }]);
  });

  it.each(['', 'loud', 'debug info', '10'])('refuses %j', (text) => {
    const { log } = memoryLogger('warn');
    expect(setLogLevel(log, text)).toEqual({ refused: expect.stringContaining('is none of off, critical') });
    expect(log.level).toBe('warn');
  });
});

describe('a request', () => {
  it.each(['127.0.0.1', '127.255.3.4', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1'])(
    'from %s is from loopback',
    (address) => {
      expect(isFromLoopback(address, { host: 'x' })).toBe(true);
    },
  );

  it.each([undefined, '', '10.0.0.1', '128.0.0.1', '12.7.0.1', '::', '::2', 'fe80::1', '::ffff:10.0.0.1', '127.evil'])(
    'from %s is not',
    (address) => {
      expect(isFromLoopback(address, {})).toBe(false);
    },
  );

  it.each(['forwarded', 'x-forwarded-for', 'via'])('with the header %s is from elsewhere', (header) => {
    expect(isFromLoopback('127.0.0.1', { [header]: '10.0.0.1' })).toBe(false);
  });
});
