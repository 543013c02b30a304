import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkMemory } from '../../../facilitator/packets/chunk-memory.ts';

const KIB = 1024;

describe('memory for chunks', () => {
  it('is enough, and never given to two at once', () => {
    const step = fc.oneof(
      fc.record({ take: fc.integer({ min: 1, max: 600 * KIB }) }),
      fc.record({ giveBack: fc.nat({ max: 20 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = new ChunkMemory();
        const taken: ArrayBuffer[] = [];
        for (const one of steps) {
          if ('take' in one) {
            const piece = memory.take(one.take);
            expect(piece.byteLength).toBeGreaterThanOrEqual(one.take);
            expect(taken).not.toContain(piece);
            taken.push(piece);
          } else taken.splice(one.giveBack, 1).forEach((piece) => memory.giveBack(piece));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is the same again for chunks that are filled up to the same size', () => {
    const memory = new ChunkMemory();
    const first = memory.take(129 * KIB);
    memory.giveBack(first);
    expect(memory.take(190 * KIB)).toBe(first);
    expect(memory.take(129 * KIB)).not.toBe(first);
  });

  it('is not kept for enormous blocks', () => {
    const memory = new ChunkMemory();
    const large = memory.take(2048 * KIB);
    memory.giveBack(large);
    expect(memory.take(129 * KIB).byteLength).toBe(192 * KIB);
    expect(memory.take(2048 * KIB)).not.toBe(large);
  });
});
