import { DspError } from '../common/errors.ts';

/** The bytes are no Avro object container file: wrong magic, a block cut short, a length or count that the file cannot hold, a wrong sync marker, a UUID that is none. */
export class AvroMalformed extends DspError {
  readonly code = 'E_AVRO_MALFORMED';
  readonly fate = 'reject';
}

/** The file's own schema cannot be read as the record that belongs here. */
export class AvroSchemaUnsuitable extends DspError {
  readonly code = 'E_AVRO_SCHEMA';
  readonly fate = 'reject';
}

/** More than `facilitator/codec/limits.ts` allows: a block that inflates beyond 64 MiB, a value beyond 512 MiB …. */
export class AvroLimitExceeded extends DspError {
  readonly code = 'E_AVRO_LIMIT';
  readonly fate = 'reject';
}

/** Whether the bytes of a file are no Avro that can be read as what belongs there. */
export function isAvroFailure(err: unknown): err is AvroMalformed | AvroSchemaUnsuitable | AvroLimitExceeded {
  return err instanceof AvroMalformed || err instanceof AvroSchemaUnsuitable || err instanceof AvroLimitExceeded;
}

/** A header or signature file holds no record. */
export class AvroRecordMissing extends DspError {
  readonly code = 'E_AVRO_NO_RECORD';
  readonly fate = 'reject';
}

/** A header or signature file holds more than one record. */
export class AvroRecordExtra extends DspError {
  readonly code = 'E_AVRO_EXTRA_RECORD';
  readonly fate = 'reject';
}

/** A key of our configuration is malformed. The message names the option, never the value. */
export class KeyInvalid extends DspError {
  readonly code = 'E_KEY';
  readonly fate = 'retry';
}

/** A batch is signed under a key identifier that we have no key for. */
export class SigningKeyUnknown extends DspError {
  readonly code = 'E_SIGNING_KEY_UNKNOWN';
  readonly fate = 'reject';
}

/** A batch is signed under a key that its author's manifest declares expired, for longer than the grace. */
export class SigningKeyExpired extends DspError {
  readonly code = 'E_SIGNING_KEY_EXPIRED';
  readonly fate = 'reject';
}

/** The signature of a batch header does not verify. */
export class SignatureInvalid extends DspError {
  readonly code = 'E_SIGNATURE_INVALID';
  readonly fate = 'reject';
}

/** The packet file is not the one whose SHA-256 the header states. */
export class DigestMismatch extends DspError {
  readonly code = 'E_DIGEST_MISMATCH';
  readonly fate = 'reject';
}

/** The header is of another batch or aggregation than the task names: a batch replayed under a foreign path. */
export class HeaderContradictsTask extends DspError {
  readonly code = 'E_HEADER_CONTRADICTS_TASK';
  readonly fate = 'reject';
}

/** The header states fewer than 1 or more than 524287 bins. */
export class BinsOutOfRange extends DspError {
  readonly code = 'E_BINS';
  readonly fate = 'reject';
}

/** An ingestion batch holds no packets. */
export class BatchEmpty extends DspError {
  readonly code = 'E_BATCH_EMPTY';
  readonly fate = 'reject';
}

/** The evaluation point r_pit of a packet is negative or above 2^32 - 1. */
export class RPitOutOfRange extends DspError {
  readonly code = 'E_R_PIT';
  readonly fate = 'reject';
}

/** No packet decryption key opens a packet. */
export class PacketUndecryptable extends DspError {
  readonly code = 'E_PACKET_UNDECRYPTABLE';
  readonly fate = 'reject';
}

/** A decrypted share has the wrong length for the bins of its batch, or an element that is not below p. */
export class PacketMalformed extends DspError {
  readonly code = 'E_PACKET_MALFORMED';
  readonly fate = 'reject';
}

/** Headers that must agree differ: ingestion and peer validation, or two batches of one aggregation. */
export class HeadersDiffer extends DspError {
  readonly code = 'E_HEADERS_DIFFER';
  readonly fate = 'reject';
}

/** The peer's validation batch is missing, unverifiable or malformed; the peer may yet write a good one. */
export class PeerValidationUnusable extends DspError {
  readonly code = 'E_PEER_VALIDATION';
  readonly fate = 'retry';
}

/** Our own validation batch says something else than what we compute now. Publishing would sum other packets than the peer. */
export class OwnValidationContradicted extends DspError {
  readonly code = 'E_OWN_VALIDATION';
  readonly fate = 'reject';
}

/** The aggregation has no batch with packets. */
export class AggregationEmpty extends DspError {
  readonly code = 'E_AGGREGATION_EMPTY';
  readonly fate = 'reject';
}

/** A sum part was published before, or kept as a copy for that, which is not the one computed now, or which cannot be read. */
export class SumPartContradicted extends DspError {
  readonly code = 'E_SUM_PART';
  readonly fate = 'reject';
}

/** A manifest is no JSON, not of its kind's form, or has a key that cannot be read. The message names URL and field. */
export class ManifestInvalid extends DspError {
  readonly code = 'E_MANIFEST';
  readonly fate = 'retry';
}

/** A manifest could not be fetched, or is not there. */
export class ManifestUnavailable extends DspError {
  readonly code = 'E_MANIFEST_UNAVAILABLE';
  readonly fate = 'retry';
}

/** `lint-manifest` found something wrong with a manifest. */
export class ManifestUnsound extends DspError {
  readonly code = 'E_MANIFEST_UNSOUND';
  readonly fate = 'reject';
}

/** `inspect` could not show every file that it was given. */
export class InspectionFailed extends DspError {
  readonly code = 'E_INSPECTION';
  readonly fate = 'reject';
}

/** The two servers' sum parts do not add up to what the samples in them are known to be. */
export class SampleMismatch extends DspError {
  readonly code = 'E_SAMPLE_MISMATCH';
  readonly fate = 'reject';
}

/** A task took longer than `--task-timeout`. */
export class TaskTimedOut extends DspError {
  readonly code = 'E_TASK_TIMEOUT';
  readonly fate = 'retry';
}

/** A task was done, but its result could not be written to `--results`, so it counts as failed. */
export class ResultUnwritten extends DspError {
  readonly code = 'E_RESULT';
  readonly fate = 'retry';
}
