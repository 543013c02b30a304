import { UsageError } from '../../errors.ts';
import type { Enqueuer } from '../../ports/queue.ts';
import type { EnqueuerSettings } from './settings.ts';

/** To come. */
export function openPubSubEnqueuer(_topic: string, _settings: EnqueuerSettings): Enqueuer {
  throw new UsageError('to come');
}
