/** Packets as they were opened, in file order. */
export interface OpenedBlock {
  readonly count: number;
  /** 16 bytes each. */
  readonly uuids: Uint8Array;
  /** `f_r`, `g_r`, `h_r` of each in turn, elements of the field; of no meaning where `told` is 0. */
  readonly messages: Uint32Array;
  /** A byte each: 1, or 0 where nothing may be said about the packet. */
  readonly told: Uint8Array;
}

/** Our own packets, in file order. What `messages` and `told` say about repeats is nobody's concern. */
export interface OwnBlock extends OpenedBlock {
  /** A byte each: 1 if a packet of the same UUID came before, else 0. */
  readonly repeat: Uint8Array;
}

/**
 * All packets without a validation packet, those among them that are repeats too: validation packets and these
 * together are, in the order of their positions, the ingestion file.
 */
export interface LeftOutPackets {
  /** In the ingestion file, from 0, ascending. */
  readonly positions: Uint32Array;
  /** 16 bytes for each position. */
  readonly uuids: Uint8Array;
}
