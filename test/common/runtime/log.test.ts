import { expect, it } from 'vitest';
import { createLogger, type LogLevel } from '../../../common/runtime/log.ts';
import { memoryLogger } from '../../support/memory-log.ts';

it('writes one JSON object per line, with exactly these keys in this order', () => {
  const written: string[] = [];
  const log = createLogger({
    level: 'info',
    version: '1.2.3',
    clock: () => new Date('2026-11-21T10:00:00.5Z'),
    write: (line) => written.push(line),
  });
  log.info({ trace_id: 't', batch_id: 'b' }, 'batch taken in');
  expect(written).toEqual([
    '{"severity":"INFO","time":"2026-11-21T10:00:00.500Z","version":"1.2.3","trace_id":"t","batch_id":"b","message":"batch taken in"}\n',
  ]);
});

it('names the severities as Cloud Logging does', () => {
  const { log, lines } = memoryLogger();
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[level]('m');
  expect(lines.map(({ severity }) => severity)).toEqual(['DEBUG', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']);
});

it.each<[LogLevel, number]>([
  ['trace', 6],
  ['warn', 3],
  ['fatal', 1],
  ['silent', 0],
])('at level %s, %i of six lines are left', (level, count) => {
  const { log, lines } = memoryLogger(level);
  for (const name of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[name]('m');
  expect(lines).toHaveLength(count);
});

it('keeps the fields of children, and redacts theirs too', () => {
  const { log, lines } = memoryLogger();
  log.child({ trace_id: 't', token: 's3cr3t' }).info({ batch_id: 'b', password: 's3cr3t' }, 'm');
  expect(lines).toEqual([
    {
      severity: 'INFO',
      time: '2026-11-21T10:00:00.000Z',
      version: 'test',
      trace_id: 't',
      token: '[redacted]',
      batch_id: 'b',
      password: '[redacted]',
      message: 'm',
    },
  ]);
});

it('redacts the fields of grandchildren and later ones', () => {
  const { log, lines } = memoryLogger();
  const grandchild = log.child({ a: 1 }).child({ private_key: 's3cr3t' });
  grandchild.setBindings({ secret: 's3cr3t' });
  grandchild.info('m');
  expect(lines).toMatchObject([{ a: 1, private_key: '[redacted]', secret: '[redacted]' }]);
});

it('an error alone becomes its text', () => {
  const { log, lines } = memoryLogger();
  log.error(new Error('outer', { cause: new Error('inner') }));
  expect(lines).toMatchObject([{ err: 'outer: inner', message: 'outer' }]);
});

it('big integers do no harm', () => {
  const { log, lines } = memoryLogger();
  log.info({ count: 5n }, 'm');
  expect(lines).toMatchObject([{ count: 5 }]);
});
