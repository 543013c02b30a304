import { describe } from 'vitest';
import type { Storage } from '../../common/ports/storage.ts';
import { abortContract } from './storage/aborts.ts';
import { conditionContract } from './storage/conditions.ts';
import type { StorageTraits } from './storage/fixtures.ts';
import { keyContract } from './storage/keys.ts';
import { listingContract } from './storage/listings.ts';
import { objectContract } from './storage/objects.ts';
import { writingContract } from './storage/writings.ts';

/**
 * Registers the contract of `Storage` for one backend or decorator. `make` returns an empty storage each time.
 * @param traits where a storage is less than others; `ObjectVersion` tells what callers may rely on
 */
export function storageContract(
  name: string,
  make: () => Promise<Storage>,
  { versionsDistinguishEqualContent = true, manyKeys = 2500 }: Partial<StorageTraits> = {},
): void {
  const traits: StorageTraits = { versionsDistinguishEqualContent, manyKeys };
  describe(`${name} storage`, () => {
    objectContract(make, traits);
    writingContract(make);
    abortContract(make);
    conditionContract(make, traits);
    listingContract(make, traits);
    keyContract(make);
  });
}
