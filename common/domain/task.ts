import { createHash } from 'node:crypto';
import { TaskMalformed } from '../errors.ts';
import { formatBatchTime } from './batch-time.ts';
import type { BatchId } from './batch-path.ts';
import type { Interval } from './interval.ts';
import { aggregateClaim } from './marker.ts';
import { aggregationIdField, fieldsOf, isFields, textField, timeField, uuidField, type Fields } from './task-fields.ts';

/**
 * Bytes of the longest message. A whole task that would be longer is sent as a reference. Amazon SNS takes 256 KiB at
 * most, of which this leaves some to the service.
 */
export const MAX_TASK_BYTES = 240 * 1024;

/** Take one ingestion batch in. */
export interface IntakeTask {
  /** For logs only. Canonical UUID. */
  readonly traceId: string;
  readonly aggregationId: string;
  readonly batch: BatchId;
}

/** What aggregate tasks say besides their batches. */
export interface WindowTask {
  /** For logs only. Canonical UUID. */
  readonly traceId: string;
  readonly aggregationId: string;
  readonly window: Interval;
}

/** Sum the batches of one window. */
export interface AggregateTask extends WindowTask {
  /** By time, then id. */
  readonly batches: readonly BatchId[];
}

/** An aggregate task too long for a message: its list of batches is in the claim on its window, the object named here. */
export interface AggregateTaskReference extends WindowTask {
  /** Key of the object that holds the whole task. */
  readonly batchesObject: string;
  /** SHA-256 of that object's bytes: 64 hexadecimal digits in lower case. */
  readonly batchesSha256: string;
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
export function encodeAggregateTask(task: AggregateTask): string {
  return JSON.stringify({
    ...windowFields(task),
    batches: task.batches.map(({ id, time }) => ({ id, time: formatBatchTime(time) })),
  });
}

/**
 * The message that refers to the claim of a task instead of listing its batches.
 * @param claimKey the key of the claim, as `aggregateClaim` gives it; readers refuse any other
 * @param claimBytes the claim as stored, to the byte
 */
export function encodeAggregateReference(task: WindowTask, claimKey: string, claimBytes: Uint8Array): string {
  return JSON.stringify({
    ...windowFields(task),
    batches: [],
    'batches-object': claimKey,
    'batches-sha256': sha256(claimBytes),
  });
}

function windowFields({ traceId, aggregationId, window }: WindowTask): Fields {
  return {
    'trace-id': traceId,
    'aggregation-id': aggregationId,
    'aggregation-start': formatBatchTime(window.begin),
    'aggregation-end': formatBatchTime(window.end),
  };
}

/**
 * All keys are required, unknown ones are ignored, as by the reference.
 * @throws TaskMalformed
 */
export function decodeIntakeTask(message: Uint8Array): IntakeTask {
  const fields = fieldsOf(message);
  return {
    traceId: uuidField(fields, 'trace-id'),
    aggregationId: aggregationIdField(fields),
    batch: { id: uuidField(fields, 'batch-id'), time: timeField(fields, 'date') },
  };
}

/**
 * A task that lists its batches itself, as claims do.
 * @throws TaskMalformed for a reference, too
 */
export function decodeAggregateTask(message: Uint8Array): AggregateTask {
  const fields = fieldsOf(message);
  if (isReference(fields)) {
    throw new TaskMalformed('the task refers to another object for its batches, where it must list them itself');
  }
  return wholeTask(fields);
}

/**
 * A task of either form, as workers are sent them; a reference is for `resolveReference`.
 * @throws TaskMalformed
 */
export function decodeAggregateMessage(message: Uint8Array): AggregateTask | AggregateTaskReference {
  const fields = fieldsOf(message);
  return isReference(fields) ? reference(fields) : wholeTask(fields);
}

/**
 * The whole task that a reference stands for.
 * @param object the bytes stored under `batchesObject`
 * @throws TaskMalformed unless they are those that the publisher saw, and the task of the same window and trace
 */
export function resolveReference(reference: AggregateTaskReference, object: Uint8Array): AggregateTask {
  const { batchesObject, batchesSha256 } = reference;
  const digest = sha256(object);
  if (digest !== batchesSha256) {
    throw new TaskMalformed(
      `the object ${batchesObject} is not the one that the task was published with: its SHA-256 is ${digest}, "batches-sha256" ${batchesSha256}`,
    );
  }
  const task = taskIn(object, batchesObject);
  if (task.traceId !== reference.traceId || claimOf(task) !== claimOf(reference)) {
    throw new TaskMalformed(`the object ${batchesObject} holds another task than the one that refers to it`);
  }
  return task;
}

function taskIn(object: Uint8Array, key: string): AggregateTask {
  try {
    return decodeAggregateTask(object);
  } catch (cause) {
    throw new TaskMalformed(`the object ${key} holds no task`, { cause });
  }
}

/** Half a reference is one, too, and a malformed one: it must not pass for a task without batches. */
const isReference = (fields: Fields): boolean =>
  Object.hasOwn(fields, 'batches-object') || Object.hasOwn(fields, 'batches-sha256');

function reference(fields: Fields): AggregateTaskReference {
  const task = windowTask(fields);
  if (batchesOf(fields).length > 0) throw new TaskMalformed('"batches" is not empty, although the task is a reference');
  const batchesObject = textField(fields, 'batches-object');
  // Whoever may publish tasks must not have us read other objects.
  if (batchesObject !== claimOf(task)) {
    throw new TaskMalformed(
      `"batches-object" ${JSON.stringify(batchesObject.slice(0, 80))} is not the claim on the task's own window`,
    );
  }
  const batchesSha256 = textField(fields, 'batches-sha256');
  if (!/^[0-9a-f]{64}$/.test(batchesSha256)) {
    throw new TaskMalformed(
      `"batches-sha256" ${JSON.stringify(batchesSha256.slice(0, 80))} is no SHA-256 of 64 hexadecimal digits in lower case`,
    );
  }
  return { ...task, batchesObject, batchesSha256 };
}

function wholeTask(fields: Fields): AggregateTask {
  return {
    ...windowTask(fields),
    batches: batchesOf(fields).map((batch: unknown, i) => {
      if (!isFields(batch)) throw new TaskMalformed(`item ${i} of "batches" is no object`);
      return { id: uuidField(batch, 'id'), time: timeField(batch, 'time') };
    }),
  };
}

function windowTask(fields: Fields): WindowTask {
  const window = { begin: timeField(fields, 'aggregation-start'), end: timeField(fields, 'aggregation-end') };
  if (window.begin >= window.end) throw new TaskMalformed('"aggregation-end" is not later than "aggregation-start"');
  return { traceId: uuidField(fields, 'trace-id'), aggregationId: aggregationIdField(fields), window };
}

function batchesOf(fields: Fields): readonly unknown[] {
  const batches = fields['batches'];
  if (!Array.isArray(batches)) throw new TaskMalformed('"batches" is missing or no array');
  return batches;
}

/** Names the window, too: no two windows share a claim. */
const claimOf = ({ aggregationId, window }: WindowTask): string => aggregateClaim(aggregationId, window);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
