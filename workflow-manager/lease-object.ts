import type { ObjectVersion, Storage } from '../common/ports/storage.ts';
import { readIfThere } from '../common/runtime/read-object.ts';

/** What the object says: who publishes tasks of an aggregation, and until when. docs/protocol.md, "Markers and claims". */
export interface LeaseRecord {
  readonly runId: string;
  readonly expiresAt: Date;
}

/** The object while it is ours. */
export interface HeldLease {
  readonly version: ObjectVersion;
  readonly record: LeaseRecord;
}

export const encodeLease = ({ runId, expiresAt }: LeaseRecord): Buffer =>
  Buffer.from(`${JSON.stringify({ 'run-id': runId, 'expires-at': expiresAt.toISOString() })}\n`);

/** The object, whoever left it; `record` is `undefined` where it cannot be read. */
export interface FoundLease {
  readonly version: ObjectVersion;
  readonly record: LeaseRecord | undefined;
}

/** What was found, if it is the run's. */
export const ownLease = (found: FoundLease | undefined, runId: string): HeldLease | undefined =>
  found?.record?.runId === runId ? { version: found.version, record: found.record } : undefined;

/** @returns `undefined` if there is no object */
export async function readLease(storage: Storage, key: string): Promise<FoundLease | undefined> {
  const found = await readIfThere(storage, key);
  return found && { version: found.version, record: decode(found.bytes.toString()) };
}

function decode(text: string): LeaseRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('run-id' in value) || !('expires-at' in value)) return undefined;
  const { 'run-id': runId, 'expires-at': expiry } = value;
  const expiresAt = new Date(typeof expiry === 'string' ? expiry : NaN);
  return typeof runId === 'string' && !Number.isNaN(expiresAt.getTime()) ? { runId, expiresAt } : undefined;
}
