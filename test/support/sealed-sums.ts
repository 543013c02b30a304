import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { PacketDecryptor } from '../../facilitator/crypto/ecies.ts';
import { P } from '../../facilitator/prio/field.ts';
import type { SumBinding } from '../../facilitator/sealed-sum/binding.ts';
import type { SealedSumContent } from '../../facilitator/sealed-sum/content.ts';
import { seededRandom } from './prio.ts';

/** A decryption key that is always the same for a label. */
export function decryptionKey(label: string): PacketDecryptor {
  return new PacketDecryptor(seededRandom(label)(32));
}

export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Three bins and five packets: the second is left out, the fourth repeats it, the fifth repeats another. */
export const SMALL_SUM: SealedSumContent = {
  bins: 3,
  packets: 5,
  sum: Uint32Array.of(0, 1, P - 1),
  leftOut: { positions: Uint32Array.of(1, 3), uuids: new Uint8Array(32).fill(7) },
  repeats: Uint32Array.of(3, 4),
  payloadBytes: 5 * 113,
  validationDigest: Uint8Array.from(sha256('own validation packet file')),
};

export const BINDING: SumBinding = {
  aggregationId: 'kittens-seen',
  batch: { id: '0f0e0d0c-0b0a-4908-8706-050403020100', time: new Date('2021-01-02T03:04:00Z') },
  server: 1,
  ingestionPacketFileDigest: sha256('ingestion packet file'),
};

const ascending = (end: number, min: number): fc.Arbitrary<Uint32Array> =>
  fc.uniqueArray(fc.integer({ min, max: end - 1 }), { maxLength: end - min }).map((positions) => {
    return Uint32Array.from(positions).sort();
  });

/** Any content that may be sealed, of up to 40 bins and 40 packets, or of very many. */
export const contents: fc.Arbitrary<SealedSumContent> = fc
  .record({
    sum: fc.uint32Array({ minLength: 1, maxLength: 40, max: P - 1 }),
    counted: fc.integer({ min: 2, max: 40 }),
    packets: fc.constantFrom(40, 41, 5_000_000, 0xffffffff),
    payloadBytes: fc.maxSafeNat(),
    validationDigest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  .chain(({ sum, counted, ...rest }) =>
    fc.record({ positions: ascending(counted, 0), repeats: ascending(counted, 1) }).chain(({ positions, repeats }) =>
      fc.uint8Array({ minLength: 16 * positions.length, maxLength: 16 * positions.length }).map((uuids) => ({
        ...rest,
        bins: sum.length,
        sum,
        leftOut: { positions, uuids },
        repeats,
      })),
    ),
  );
