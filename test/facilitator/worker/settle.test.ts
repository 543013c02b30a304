import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as commonErrors from '../../../common/errors.ts';
import {
  ConfigurationInvalid,
  DspError,
  LeaseLost,
  PermissionDenied,
  QueueUnavailable,
  TaskMalformed,
} from '../../../common/errors.ts';
import * as facilitatorErrors from '../../../facilitator/errors.ts';
import { tableUnder } from '../../support/markdown.ts';
import { readText } from '../../support/repository.ts';
import { DeliveryDouble, promiseOf } from './queue-double.ts';
import { DEADLINE_MS, hangUntilAborted, Settling, throwing, TRACE_ID } from './settling.ts';

let desk: Settling;
beforeEach(() => {
  vi.useFakeTimers();
  desk = new Settling();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('a task that is done', () => {
  it('is acknowledged, with one line', async () => {
    const delivery = new DeliveryDouble('kittens', {}, 'message-7', 2);
    await desk.settle(delivery, async (_task, context) => {
      desk.nowMs += 1234;
      context.log.info('from within');
    });
    expect(delivery.calls).toEqual(['ack']);
    const common = { severity: 'INFO', task_id: 'message-7', attempt: 2, trace_id: TRACE_ID };
    expect(desk.lines).toMatchObject([
      { ...common, message: 'from within' },
      { ...common, message: 'task finished', aggregation_id: 'kittens', outcome: 'ack', duration_ms: 1234 },
    ]);
    expect(desk.lines[1]).not.toHaveProperty('error_code');
  });

  it('has no attempt in its lines if the queue does not count', async () => {
    await desk.settle(new DeliveryDouble('kittens'), async () => {});
    expect(desk.outcomes).toMatchObject([{ outcome: 'ack' }]);
    expect(desk.outcomes[0]).not.toHaveProperty('attempt');
  });
});

describe('a task that fails', () => {
  type NamedError = new (message: string, options?: ErrorOptions) => DspError;
  const classes: readonly (readonly [string, unknown])[] = [
    ...Object.entries(commonErrors),
    ...Object.entries(facilitatorErrors),
  ];
  const isNamedError = (value: unknown): value is NamedError =>
    typeof value === 'function' && value.prototype instanceof DspError;
  const fates = new Map(
    tableUnder(readText('docs/errors.md'), 'Table').map(([, name = '', fate]) => [name.replaceAll('`', ''), fate]),
  );
  const rows = classes.flatMap(([name, value]) =>
    isNamedError(value) ? [[name, fates.get(name) === 'reject' ? 'reject' : 'nack', value] as const] : [],
  );

  it('fails with one of at least 25 named errors', () => {
    expect(rows.length).toBeGreaterThanOrEqual(25);
    expect(rows.map(([name]) => name).filter((name) => !fates.has(name))).toEqual([]);
    expect(new Set(rows.map(([, action]) => action))).toEqual(new Set(['nack', 'reject']));
  });

  it.each(rows)('with %s gets %s', async (_, action, NamedError) => {
    const delivery = new DeliveryDouble('kittens');
    const error = new NamedError('it went wrong', { cause: new Error('deeper') });
    await desk.settle(delivery, throwing(error));
    expect(delivery.calls).toEqual([action]);
    expect(desk.outcomes).toMatchObject([
      { outcome: action, error_code: error.code, error: 'it went wrong: deeper', trace_id: TRACE_ID },
    ]);
    expect(desk.outcomes[0]).toMatchObject({
      failure: [
        { name: error.name, code: error.code, message: 'it went wrong', stack: expect.stringMatching(/^ *at /) },
        { name: 'Error', message: 'deeper' },
      ],
    });
  });

  it.each([
    ['an unknown error', new TypeError('bug')],
    ['what is no error', 'bug'],
  ])('with %s is given back', async (_, error) => {
    const delivery = new DeliveryDouble('kittens');
    await desk.settle(delivery, throwing(error));
    expect(delivery.calls).toEqual(['nack']);
    expect(desk.outcomes).toMatchObject([{ severity: 'WARNING', error_code: 'E_UNEXPECTED', error: 'bug' }]);
    expect(desk.outcomes[0]).toMatchObject({ failure: [{ name: error instanceof Error ? 'TypeError' : 'string' }] });
  });

  it('by the peer’s fault is given back, whatever the cause', async () => {
    const delivery = new DeliveryDouble('kittens');
    const cause = new facilitatorErrors.SignatureInvalid('does not verify');
    await desk.settle(delivery, throwing(new facilitatorErrors.PeerValidationUnusable('unusable', { cause })));
    expect(delivery.calls).toEqual(['nack']);
  });
});

describe('a message that is no task', () => {
  it('is rejected as it is, and shown in part, at debug', async () => {
    const body = Buffer.concat([Buffer.from(`malformed ${'ü'.repeat(300)}`), Buffer.of(0xff)]);
    const delivery = new DeliveryDouble(body);
    await desk.settle(delivery, throwing(new Error('not called')));
    expect(delivery.calls).toEqual(['reject']);
    expect(desk.lines).toMatchObject([
      { severity: 'DEBUG', body: `malformed ${'ü'.repeat(190)}` },
      { severity: 'ERROR', message: 'task finished', outcome: 'reject', error_code: 'E_TASK_MALFORMED' },
    ]);
  });
});

describe('a lease that is lost', () => {
  const gone = new LeaseLost('gone');

  it('ends the task, which is then left alone', async () => {
    const delivery = new DeliveryDouble('kittens', { extend: throwing(gone) });
    const settled = desk.settle(delivery, hangUntilAborted);
    await vi.advanceTimersByTimeAsync(DEADLINE_MS);
    await settled;
    expect(delivery.calls).toEqual(['extend']);
    expect(desk.outcomes).toMatchObject([{ severity: 'WARNING', outcome: 'lost', error_code: 'E_LEASE_LOST' }]);
  });

  it('while the task runs long without any answer of the queue has the same effect', async () => {
    const delivery = new DeliveryDouble('kittens', { extend: throwing(new QueueUnavailable('down')) });
    const settled = desk.settle(delivery, hangUntilAborted);
    await vi.advanceTimersByTimeAsync(DEADLINE_MS);
    await settled;
    expect(delivery.calls.filter((call) => call !== 'extend')).toEqual([]);
    expect(desk.outcomes).toMatchObject([{ outcome: 'lost', error_code: 'E_LEASE_LOST' }]);
  });

  it('too late to stop the task leaves it unsettled all the same', async () => {
    const delivery = new DeliveryDouble('kittens', { extend: throwing(gone) });
    const work = promiseOf();
    const settled = desk.settle(delivery, () => work.promise);
    await vi.advanceTimersByTimeAsync(DEADLINE_MS);
    work.resolve();
    await settled;
    expect(delivery.calls).toEqual(['extend']);
    expect(desk.outcomes).toMatchObject([{ outcome: 'lost' }]);
  });

  it.each([
    ['ack', async () => {}],
    ['nack', throwing(new Error('bug'))],
    ['reject', throwing(new TaskMalformed('no task'))],
  ] as const)('as %s finds out is logged as such', async (action, handle) => {
    const delivery = new DeliveryDouble('kittens', { [action]: throwing(gone) });
    await desk.settle(delivery, handle);
    expect(delivery.calls).toEqual([action]);
    expect(desk.outcomes).toMatchObject([{ outcome: 'lost', error_code: 'E_LEASE_LOST', error: 'gone' }]);
  });
});

it('a task that runs for many deadlines is held from its receipt on, and not any more once it is settled', async () => {
  const delivery = new DeliveryDouble('kittens');
  const work = promiseOf();
  const settled = desk.settle(delivery, () => work.promise);
  await vi.advanceTimersByTimeAsync(7 * DEADLINE_MS);
  expect(delivery.calls).toHaveLength(21);
  work.resolve();
  await settled;
  await vi.advanceTimersByTimeAsync(7 * DEADLINE_MS);
  expect(delivery.calls).toHaveLength(22);
  expect(delivery.calls.at(-1)).toBe('ack');
});

describe('a queue that cannot be told', () => {
  it.each([
    ['ack', async () => {}, undefined],
    ['nack', throwing(new Error('bug')), 'E_UNEXPECTED'],
    ['reject', throwing(new TaskMalformed('no task')), 'E_TASK_MALFORMED'],
  ] as const)('of an %s leaves the task unsettled, to come again', async (action, handle, error_code) => {
    const delivery = new DeliveryDouble('kittens', { [action]: throwing(new QueueUnavailable('down')) });
    await desk.settle(delivery, handle);
    expect(desk.lines).toContainEqual(
      expect.objectContaining({ severity: 'ERROR', action, error_code: 'E_QUEUE_UNAVAILABLE', error: 'down' }),
    );
    expect(desk.outcomes).toMatchObject([{ outcome: 'unsettled', ...(error_code ? { error_code } : {}) }]);
  });

  it.each([
    ['takes no such message', new ConfigurationInvalid('1 to 262144 bytes'), 'E_CONFIGURATION'],
    ['is closed to us', new PermissionDenied('closed'), 'E_PERMISSION_DENIED'],
  ])('to park a message, as the rejected topic %s, has it given back', async (_, error, error_code) => {
    const delivery = new DeliveryDouble('kittens', { reject: throwing(error) });
    await desk.settle(delivery, throwing(new TaskMalformed('no task')));
    expect(delivery.calls).toEqual(['reject', 'nack']);
    expect(desk.lines[0]).toMatchObject({ severity: 'ERROR', action: 'reject', error_code, error: error.message });
    expect(desk.outcomes).toMatchObject([{ severity: 'WARNING', outcome: 'nack', error_code: 'E_TASK_MALFORMED' }]);
  });

  it('to park a message, nor to take it back, leaves the task unsettled', async () => {
    const on = { reject: throwing(new ConfigurationInvalid('no topic')), nack: throwing(new QueueUnavailable('down')) };
    const delivery = new DeliveryDouble('kittens', on);
    await desk.settle(delivery, throwing(new TaskMalformed('no task')));
    expect(delivery.calls).toEqual(['reject', 'nack']);
    expect(desk.outcomes).toMatchObject([{ outcome: 'unsettled', error_code: 'E_TASK_MALFORMED' }]);
  });

  it('to park a message for a reason that is no named failure leaves the task unsettled', async () => {
    const delivery = new DeliveryDouble('kittens', { reject: throwing(new TypeError('bug')) });
    await desk.settle(delivery, throwing(new TaskMalformed('no task')));
    expect(delivery.calls).toEqual(['reject']);
    expect(desk.outcomes).toMatchObject([{ outcome: 'unsettled' }]);
  });
});
