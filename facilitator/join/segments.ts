/** Rows in a segment: large enough to be few, small enough for small batches. */
const ROW_BITS = 12;

export const SEGMENT_ROWS = 1 << ROW_BITS;

/** The segment that a row is in. */
export function segmentOf(row: number): number {
  return row >>> ROW_BITS;
}

/** Where in its segment a row is. */
export function rowInSegment(row: number): number {
  return row & (SEGMENT_ROWS - 1);
}
