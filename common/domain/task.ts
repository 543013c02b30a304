import { TaskMalformed } from '../errors.ts';
import { parseBatchTime, formatBatchTime } from './batch-time.ts';
import type { BatchId } from './batch-path.ts';
import type { Interval } from './interval.ts';
import { parseUuid } from './uuid.ts';

/** Take one ingestion batch in. */
export interface IntakeTask {
  /** For logs only. Canonical UUID. */
  readonly traceId: string;
  readonly aggregationId: string;
  readonly batch: BatchId;
}

/** Sum the batches of one window. */
export interface AggregateTask {
  readonly traceId: string;
  readonly aggregationId: string;
  readonly window: Interval;
  /** By time, then id. */
  readonly batches: readonly BatchId[];
}

/** The message of a task: JSON with the keys of docs/protocol.md, "Tasks", in that order. */
export function encodeIntakeTask({ traceId, aggregationId, batch }: IntakeTask): string {
  return JSON.stringify({
    'trace-id': traceId,
    'aggregation-id': aggregationId,
    'batch-id': batch.id,
    date: formatBatchTime(batch.time),
  });
}

/** As `encodeIntakeTask`. */
export function encodeAggregateTask({ traceId, aggregationId, window, batches }: AggregateTask): string {
  return JSON.stringify({
    'trace-id': traceId,
    'aggregation-id': aggregationId,
    'aggregation-start': formatBatchTime(window.begin),
    'aggregation-end': formatBatchTime(window.end),
    batches: batches.map(({ id, time }) => ({ id, time: formatBatchTime(time) })),
  });
}

/**
 * All keys are required, unknown ones are ignored, as by the reference.
 * @throws TaskMalformed
 */
export function decodeIntakeTask(message: Uint8Array): IntakeTask {
  const task = fieldsOf(message);
  return {
    traceId: uuid(task, 'trace-id'),
    aggregationId: aggregationId(task),
    batch: { id: uuid(task, 'batch-id'), time: time(task, 'date') },
  };
}

/** @throws TaskMalformed */
export function decodeAggregateTask(message: Uint8Array): AggregateTask {
  const task = fieldsOf(message);
  const window = { begin: time(task, 'aggregation-start'), end: time(task, 'aggregation-end') };
  if (window.begin >= window.end) throw new TaskMalformed('"aggregation-end" is not later than "aggregation-start"');
  const batches = task['batches'];
  if (!Array.isArray(batches)) throw new TaskMalformed('"batches" is missing or no array');
  return {
    traceId: uuid(task, 'trace-id'),
    aggregationId: aggregationId(task),
    window,
    batches: batches.map((batch: unknown, i) => {
      if (!isFields(batch)) throw new TaskMalformed(`item ${i} of "batches" is no object`);
      return { id: uuid(batch, 'id'), time: time(batch, 'time') };
    }),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function fieldsOf(message: Uint8Array): Fields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message));
  } catch (cause) {
    throw new TaskMalformed('the message is no JSON in UTF-8', { cause });
  }
  if (!isFields(value)) throw new TaskMalformed('the message is no JSON object');
  return value;
}

function text(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string') throw new TaskMalformed(`"${key}" is missing or no text`);
  return value;
}

/** It becomes the first segment of object names. */
function aggregationId(fields: Fields): string {
  const id = text(fields, 'aggregation-id');
  if (id === '' || id === '.' || id === '..' || !/^[\x20-\x7e]+$/.test(id) || /[/\\]/.test(id)) {
    throw new TaskMalformed(`"aggregation-id" ${JSON.stringify(id.slice(0, 80))} cannot be part of an object's name`);
  }
  return id;
}

function uuid(fields: Fields, key: string): string {
  const value = text(fields, key);
  const parsed = parseUuid(value);
  if (parsed === undefined) throw new TaskMalformed(`"${key}" ${JSON.stringify(value.slice(0, 80))} is no UUID`);
  return parsed;
}

function time(fields: Fields, key: string): Date {
  const value = text(fields, key);
  const parsed = parseBatchTime(value);
  if (!parsed) {
    throw new TaskMalformed(`"${key}" ${JSON.stringify(value.slice(0, 80))} is no time of the form YYYY/MM/DD/hh/mm`);
  }
  return parsed;
}
