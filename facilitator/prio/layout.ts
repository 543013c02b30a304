import { BinsOutOfRange } from '../errors.ts';

/** 2N is at most 2^20, the largest order of a root of unity. */
export const MAX_BINS = 524287;

/**
 * Where things are in a share: `bins` data elements, f0, g0, h0, then N points of h at the odd 2N-th roots of unity.
 * Source: docs/protocol.md, "Share layout".
 */
export interface ShareLayout {
  readonly bins: number;
  /** N: the smallest power of two that is at least bins + 1. */
  readonly points: number;
  /** Field elements in a share: bins + 3 + N. */
  readonly length: number;
}

/** @throws BinsOutOfRange before anything is allocated that depends on `bins` */
export function shareLayout(bins: number): ShareLayout {
  if (!Number.isInteger(bins) || bins < 1 || bins > MAX_BINS) {
    throw new BinsOutOfRange(`${bins} bins: a batch has between 1 and ${MAX_BINS}`);
  }
  const points = 2 ** Math.ceil(Math.log2(bins + 1));
  return { bins, points, length: bins + 3 + points };
}
