import type { DspError } from '../../common/errors.ts';
import {
  AvroLimitExceeded,
  AvroMalformed,
  AvroSchemaUnsuitable,
  BinsOutOfRange,
  PacketMalformed,
  PacketUndecryptable,
  RPitOutOfRange,
} from '../errors.ts';

/** What opening a chunk may fail with, all but mistakes of ours. */
const FAILURES = {
  AvroLimitExceeded,
  AvroMalformed,
  AvroSchemaUnsuitable,
  BinsOutOfRange,
  PacketMalformed,
  PacketUndecryptable,
  RPitOutOfRange,
} as const;

/** A failure as it comes from a thread: objects lose their class on the way. */
export interface PackedFailure {
  readonly name: keyof typeof FAILURES;
  readonly message: string;
  readonly cause: unknown;
}

/** @returns `undefined` for errors that are none of those expected */
export function packFailure(error: unknown): PackedFailure | undefined {
  if (!(error instanceof Error) || !isName(error.name)) return undefined;
  return { name: error.name, message: error.message, cause: error.cause };
}

export function unpackFailure({ name, message, cause }: PackedFailure): DspError {
  return new FAILURES[name](message, cause === undefined ? undefined : { cause });
}

function isName(name: string): name is keyof typeof FAILURES {
  return Object.hasOwn(FAILURES, name);
}
