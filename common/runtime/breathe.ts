import { setImmediate } from 'node:timers/promises';

/** Packets between two breaths: some 20 ms of work. */
export const PACKETS_PER_BREATH = 256;

/**
 * Lets the event loop turn once within a long computation, so that signals, timers and leases are served.
 * @throws the signal's reason if it is aborted
 */
export async function breathe(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
