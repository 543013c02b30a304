import { formatDuration } from '../../common/domain/duration.ts';
import { publisherInvocation, type Server } from './data-share-processor.ts';
import { runToSuccess, type ProcessSettings } from './process.ts';
import { GRACE_MS, PERIOD_MS } from './windows.ts';

/** One run of `workflow-manager` for each server, planning as of `asOf`. */
export async function runPublishers(
  servers: readonly Server[],
  asOf: Date,
  leaseMs: number,
  settings: ProcessSettings,
): Promise<void> {
  await Promise.all(
    servers.map((server) =>
      runToSuccess(
        publisherInvocation(server, [
          ...['--as-of', asOf.toISOString()],
          ...['--intake-max-age', formatDuration(2 * PERIOD_MS)],
          ...['--aggregation-period', formatDuration(PERIOD_MS), '--grace-period', formatDuration(GRACE_MS)],
          ...['--lease-duration', formatDuration(leaseMs)],
        ]),
        settings,
      ),
    ),
  );
}
