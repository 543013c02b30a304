import { createECDH } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { agreeBy, AGREEMENTS, cheaperAgreement, type Agree } from '../../../facilitator/crypto/agreement.ts';
import { PacketDecryptor } from '../../../facilitator/crypto/ecies.ts';
import { seededRandom } from '../../support/prio.ts';

const random = seededRandom('agreement');
const scalar = random(32);
const secretOf = (point: Uint8Array): Buffer => {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(scalar);
  return ecdh.computeSecret(point);
};

function pointOf(own: Uint8Array): Buffer {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(own);
  return ecdh.getPublicKey();
}

const [major] = process.versions.node.split('.').map(Number) as [number];
const takesInlineKeys = major >= 24;

describe('the ways to agree on a secret', () => {
  const [old, inline] = AGREEMENTS.map((agreement) => agreeBy(agreement, scalar)) as [Agree, Agree];
  const off = pointOf(random(32));
  off[64]! ^= 1;

  it('are two from Node 24 on, which give and refuse the same, and one before', () => {
    for (let i = 0; i < 50; i++) {
      const point = pointOf(random(32));
      expect(Buffer.from(old(point))).toEqual(secretOf(point));
      if (takesInlineKeys) expect(Buffer.from(inline(point))).toEqual(secretOf(point));
      else expect(() => inline(point)).toThrow(TypeError);
    }
  });

  it.each(AGREEMENTS)('refuse what is no point of the curve: %s', (agreement) => {
    expect(() => agreeBy(agreement, scalar)(off)).toThrow();
    expect(new PacketDecryptor(scalar, agreement).decrypt(Buffer.concat([off, Buffer.alloc(40)]))).toBeUndefined();
  });
});

describe('the cheaper way', () => {
  /** A stopwatch by which the n-th measurement takes `costs[n]`. */
  const stopwatch = (...costs: number[]): (() => number) => {
    let looks = 0;
    let now = 0;
    return () => {
      if (looks++ % 2 === 1) now += costs[Math.floor((looks - 1) / 2 / 5)]!;
      return now;
    };
  };

  it('is the one that takes less time, if there are two', () => {
    expect(cheaperAgreement(stopwatch(1, 2))).toBe(takesInlineKeys ? 'diffieHellman' : 'createECDH');
    expect(cheaperAgreement(stopwatch(2, 1))).toBe('createECDH');
  });
});
