import type { ShareLayout } from './layout.ts';

/** What a server says about the shares of a block. */
export interface BlockMessages {
  /** `f_r`, `g_r`, `h_r` of each share in turn, elements of the field; zeros where nothing may be said. */
  readonly messages: Uint32Array;
  /** A byte a share: 1, or 0 where its evaluation point is a root of unity, so that nothing may be said about it. */
  readonly told: Uint8Array;
}

/**
 * Evaluates and sums shares of one layout, a block of them at a time: `load` each, `evaluate` them all, then
 * `accumulate`. docs/protocol.md, "Verification message".
 */
export interface BlockEvaluator {
  readonly layout: ShareLayout;
  /** How many shares a block can have. */
  readonly capacity: number;

  /**
   * Takes a decrypted payload as share `index` of the block, replacing what was there. `plain` is not kept.
   * @throws PacketMalformed if it is no share of this layout for this server; the place then has none until the next
   *   `load`
   * @throws RangeError if `index` is not below `capacity`
   */
  load(index: number, plain: Uint8Array): void;

  /**
   * Evaluates the first `rPits.length` shares, which were loaded. What it returns is the caller's.
   * @param rPits the packets' evaluation points, unsigned 32-bit integers; taken modulo p
   * @throws RangeError if there are more than `capacity`
   */
  evaluate(rPits: Uint32Array): BlockMessages;

  /**
   * Adds the data of those of the first `chosen.length` shares that `chosen` marks with 1 to `sum`, in place.
   * @param sum `bins` elements of the field
   */
  accumulate(chosen: Uint8Array, sum: Uint32Array): void;
}
