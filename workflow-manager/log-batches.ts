import type { Logger } from 'pino';
import type { BatchId } from '../common/domain/batch-path.ts';
import { formatBatchTime } from '../common/domain/batch-time.ts';

/** Log services cut lines off; a batch takes about 60 bytes. */
const BATCHES_A_LINE = 100;

/** Warns of batches that need somebody's attention, all by id; nothing if there are none. */
export function logBatches(
  log: Logger,
  batches: readonly BatchId[],
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  for (let i = 0; i < batches.length; i += BATCHES_A_LINE) {
    const line = batches.slice(i, i + BATCHES_A_LINE);
    log.warn(
      { ...fields, batch_ids: line.map(({ id }) => id), batch_times: line.map(({ time }) => formatBatchTime(time)) },
      message,
    );
  }
}
