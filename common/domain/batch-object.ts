import type { BatchId } from './batch-path.ts';
import { parseBatchTime } from './batch-time.ts';

/** Which of a batch's three objects. */
export type BatchPart = 'header' | 'packets' | 'signature';

/** What stands between the batch's id and the part in an object's name. */
export type BatchInfix = 'batch' | 'validity_0' | 'validity_1';

/** What an object's name says. */
export interface BatchObject {
  readonly aggregationId: string;
  readonly batch: BatchId;
  readonly infix: BatchInfix;
  readonly part: BatchPart;
}

const NAME =
  /^([^/]+)\/(\d{4}\/\d\d\/\d\d\/\d\d\/\d\d)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(batch|validity_[01])(\.avro|\.sig)?$/;

const PARTS: Readonly<Record<string, BatchPart>> = { '': 'header', '.avro': 'packets', '.sig': 'signature' };

/**
 * Reads the name of a batch's object. docs/protocol.md, "Object names".
 * @returns `undefined` unless the name is canonical, as only then the facilitator finds the object again: padded dates of
 *   the calendar, UUID in lower case with hyphens, nothing before or behind
 */
export function parseBatchObject(key: string): BatchObject | undefined {
  const match = NAME.exec(key);
  if (!match) return undefined;
  // All groups but the last take part in every match.
  const [, aggregationId, date, uuid, infix, suffix = ''] = match as unknown as [
    string,
    string,
    string,
    string,
    BatchInfix,
    string?,
  ];
  const time = parseBatchTime(date);
  const part = PARTS[suffix];
  return time && part ? { aggregationId, batch: { id: uuid, time }, infix, part } : undefined;
}
