import { mul, P, sub } from './field.ts';
import { shareLayout } from './layout.ts';
import { evaluateAtRoots, interpolate } from './polynomial.ts';
import { expandSeed, SEED_LENGTH } from './seed.ts';

/** As many bytes as asked for, uniformly random wherever secrecy matters. */
export type RandomBytes = (length: number) => Uint8Array;

/** What a client encrypts to the two servers. */
export interface PlainShares {
  /** For server 0: `layout.length` little-endian 32-bit words. */
  readonly first: Uint8Array;
  /** For server 1: 32 bytes. */
  readonly second: Uint8Array;
}

/**
 * A contribution with its proof, split in two shares. Source: docs/protocol.md, "Client".
 * @param data one element a bin; the proof holds only if each is 0 or 1
 * @throws BinsOutOfRange
 */
export function splitContribution(data: ArrayLike<number>, random: RandomBytes): PlainShares {
  const proof = prove(data, randomElement(random), randomElement(random));
  const seed = random(SEED_LENGTH);
  const mask = expandSeed(seed, proof.length);
  const first = new Uint8Array(4 * proof.length);
  const words = new DataView(first.buffer);
  for (let i = 0; i < proof.length; i++) words.setUint32(4 * i, sub(proof[i]!, mask[i]!), true);
  return { first, second: seed };
}

/**
 * data ‖ f0 ‖ g0 ‖ h0 ‖ odd points of h, where f runs through f0 and the data, g through g0 and the data less one,
 * and h = f·g: h is zero at the data's points only if every datum is 0 or 1.
 */
export function prove(data: ArrayLike<number>, f0: number, g0: number): Uint32Array {
  const { bins, points, length } = shareLayout(data.length);
  const f = new Uint32Array(points);
  const g = new Uint32Array(points);
  f[0] = f0;
  g[0] = g0;
  for (let k = 0; k < bins; k++) {
    f[k + 1] = data[k]!;
    g[k + 1] = sub(data[k]!, 1);
  }
  const fValues = evaluateAtRoots(interpolate(f), 2 * points);
  const gValues = evaluateAtRoots(interpolate(g), 2 * points);
  const proof = new Uint32Array(length);
  proof.set(f.subarray(1, bins + 1));
  proof.set([f0, g0, mul(f0, g0)], bins);
  for (let j = 0; j < points; j++) proof[bins + 3 + j] = mul(fValues[2 * j + 1]!, gValues[2 * j + 1]!);
  return proof;
}

/** Uniform in [0, p): words that are not below p are drawn again. */
function randomElement(random: RandomBytes): number {
  for (;;) {
    const bytes = random(4);
    const word = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
    if (word < P) return word;
  }
}
