import { createECDH } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encryptPayload, PacketDecryptor } from '../../../facilitator/crypto/ecies.ts';
import { parseDecryptionKeys } from '../../../facilitator/crypto/keys.ts';
import { shareLayout } from '../../../facilitator/prio/layout.ts';
import { unpackShare } from '../../../facilitator/prio/share.ts';
import { isValidProof, ShareEvaluator } from '../../../facilitator/prio/verification.ts';
import { seededRandom } from '../../support/prio.ts';
import vector from '../../vectors/packet.json' with { type: 'json' };

function keyPair(label: string): { decryptor: PacketDecryptor; publicKey: Buffer } {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(seededRandom(label)(32));
  return { decryptor: new PacketDecryptor(ecdh.getPrivateKey()), publicKey: ecdh.getPublicKey() };
}

describe('a packet that the reference made', () => {
  const message = (side: typeof vector.pha, isFirst: boolean): unknown => {
    const [decryptor] = parseDecryptionKeys(side.key, 'key');
    const plain = decryptor?.decrypt(Buffer.from(side.payload, 'base64'));
    if (!plain) throw new Error('the payload does not open');
    const layout = shareLayout(vector.bins);
    return new ShareEvaluator(layout, isFirst).evaluate(unpackShare(plain, layout, isFirst), vector.r_pit);
  };

  it('gives the PHA’s verification message', () => {
    expect(message(vector.pha, true)).toEqual(vector.pha.message);
  });

  it('gives the facilitator’s', () => {
    expect(message(vector.facilitator, false)).toEqual(vector.facilitator.message);
  });

  it('has a valid proof', () => {
    expect(isValidProof(vector.pha.message, vector.facilitator.message)).toBe(true);
  });
});

describe('payloads', () => {
  const { decryptor, publicKey } = keyPair('recipient');
  const payload = encryptPayload(publicKey, Buffer.from('plain'), seededRandom('ephemeral'));

  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.string(), (plain, label) => {
        const sealed = encryptPayload(publicKey, plain, seededRandom(label));
        expect(sealed.length).toBe(65 + plain.length + 16);
        expect(decryptor.decrypt(sealed)).toEqual(Buffer.from(plain));
      }),
      { numRuns: 50 },
    );
  });

  it('do not open after any single bit flip', () => {
    for (let bit = 0; bit < 8 * payload.length; bit++) {
      const flipped = Buffer.from(payload);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(decryptor.decrypt(flipped)).toBeUndefined();
    }
  });

  it.each([0, 1, 64, 65, 80])('of %i bytes do not open', (length) => {
    expect(decryptor.decrypt(payload.subarray(0, length))).toBeUndefined();
  });

  it('do not open under another key', () => {
    expect(keyPair('other').decryptor.decrypt(payload)).toBeUndefined();
  });

  it('with the ephemeral point in the hybrid form, which OpenSSL knows, do not open, as the reference has it', () => {
    const hybrid = Buffer.from(payload);
    hybrid[0] = 6 + (payload[64]! & 1);
    expect(decryptor.decrypt(hybrid)).toBeUndefined();
  });

  it('open again after a failure with the same decryptor', () => {
    decryptor.decrypt(Buffer.alloc(200, 4));
    expect(decryptor.decrypt(payload)).toEqual(Buffer.from('plain'));
  });

  it('are not made from a broken source of randomness', () => {
    expect(() => encryptPayload(publicKey, Buffer.from('x'), (n) => new Uint8Array(n))).toThrow('randomness');
  });
});
