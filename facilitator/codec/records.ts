/**
 * A 64-bit signed integer: a number whenever it is a safe integer, a bigint only beyond that, so that `===` holds
 * for equal values.
 */
export type Long = number | bigint;

// The fields bear the names of the Avro schemas, so that a reader of the specification finds them.

/** The header of a batch of shares from the ingestion server. docs/protocol.md, "Avro". */
export interface IngestionHeader {
  /** Canonical UUID. */
  readonly batch_uuid: string;
  /** The aggregation. */
  readonly name: string;
  readonly bins: number;
  /** Of the differential privacy that the clients apply. */
  readonly epsilon: number;
  readonly prime: Long;
  readonly number_of_servers: number;
  readonly hamming_weight: number | null;
  /** Milliseconds since 1970, UTC. */
  readonly batch_start_time: Long;
  /** Milliseconds since 1970, UTC. */
  readonly batch_end_time: Long;
  /** SHA-256 of the whole packet file. */
  readonly packet_file_digest: Uint8Array;
}

/** One client's share for one server, encrypted to that server. docs/protocol.md, "Avro". */
export interface DataSharePacket {
  /** Canonical UUID, the same for both servers. */
  readonly uuid: string;
  /** ECIES: ephemeral public key, ciphertext, tag. */
  readonly encrypted_payload: Uint8Array;
  readonly encryption_key_id: string | null;
  /** The point at which the servers evaluate the proof. */
  readonly r_pit: Long;
  readonly version_configuration: string | null;
  readonly device_nonce: Uint8Array | null;
}

/** The header of the verification messages that one server made of a batch. docs/protocol.md, "Avro". */
export interface ValidationHeader {
  /** Canonical UUID of the ingestion batch. */
  readonly batch_uuid: string;
  /** The aggregation. */
  readonly name: string;
  readonly bins: number;
  readonly epsilon: number;
  readonly prime: Long;
  readonly number_of_servers: number;
  readonly hamming_weight: number | null;
  /** SHA-256 of the whole packet file. */
  readonly packet_file_digest: Uint8Array;
}

/** One server's verification message for one packet: elements of the field. docs/protocol.md, "Avro". */
export interface ValidationPacket {
  /** Canonical UUID of the data share packet. */
  readonly uuid: string;
  readonly f_r: Long;
  readonly g_r: Long;
  readonly h_r: Long;
}

/** One server's share of the sum over a window. docs/protocol.md, "Avro". */
export interface SumPart {
  /** Canonical UUIDs of the batches in the sum. */
  readonly batch_uuids: readonly string[];
  /** The aggregation. */
  readonly name: string;
  readonly bins: number;
  readonly epsilon: number;
  readonly prime: Long;
  readonly number_of_servers: number;
  readonly hamming_weight: number | null;
  /** One element of the field a bin. */
  readonly sum: readonly Long[];
  /** Milliseconds since 1970, UTC. */
  readonly aggregation_start_time: Long;
  /** Milliseconds since 1970, UTC. */
  readonly aggregation_end_time: Long;
  /** SHA-256 of the whole file of invalid packets. */
  readonly packet_file_digest: Uint8Array;
  /** How many packets are in the sum. */
  readonly total_individual_clients: Long;
}

/** A packet that is not in the sum. docs/protocol.md, "Avro". */
export interface InvalidPacket {
  /** Canonical UUID of the data share packet. */
  readonly uuid: string;
}

/** The signature of a batch, or a whole batch in one object if both `batch_header` and `packets` are there. */
export interface BatchSignature {
  /** ECDSA P-256 over the whole header file, ASN.1 DER. */
  readonly batch_header_signature: Uint8Array;
  readonly key_identifier: string;
  /** The whole header file. */
  readonly batch_header: Uint8Array | null;
  /** The whole packet file; empty if there are no packets. */
  readonly packets: Uint8Array | null;
}
