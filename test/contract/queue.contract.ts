import { describe } from 'vitest';
import { crowdContract } from './queue/crowds.ts';
import { deliveryContract } from './queue/deliveries.ts';
import type { QueueBackend } from './queue/fixtures.ts';
import { leaseContract } from './queue/leases.ts';
import { settlementContract } from './queue/settlements.ts';
import { waitingContract } from './queue/waiting.ts';

/**
 * Registers the contract of `Enqueuer` and `TaskQueue` for one backend or decorator. `make` returns an empty topic
 * with its subscription each time, of 5 deliveries at most unless told otherwise.
 */
export function queueContract(name: string, backend: QueueBackend): void {
  // What waits most of the time may do so all at once.
  const suite = backend.capabilities.keepsRealTime ? describe.concurrent : describe;
  suite(`${name} queue`, () => {
    deliveryContract(backend);
    leaseContract(backend);
    settlementContract(backend);
    waitingContract(backend);
    crowdContract(backend);
  });
}
