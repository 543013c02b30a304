import { describe } from 'vitest';
import type { Storage } from '../../common/ports/storage.ts';
import { abortContract } from './storage/aborts.ts';
import { conditionContract } from './storage/conditions.ts';
import { keyContract } from './storage/keys.ts';
import { listingContract } from './storage/listings.ts';
import { objectContract } from './storage/objects.ts';
import { writingContract } from './storage/writings.ts';

/** Registers the contract of `Storage` for one backend or decorator. `make` returns an empty storage each time. */
export function storageContract(name: string, make: () => Promise<Storage>): void {
  describe(`${name} storage`, () => {
    objectContract(make);
    writingContract(make);
    abortContract(make);
    conditionContract(make);
    listingContract(make);
    keyContract(make);
  });
}
