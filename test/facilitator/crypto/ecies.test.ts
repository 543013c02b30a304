import { createECDH, hkdfSync } from 'node:crypto';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { agreementsChannel } from '../../../facilitator/crypto/agreements-channel.ts';
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

  it('open together as each does alone', () => {
    const kinds = [
      payload,
      encryptPayload(publicKey, Buffer.from('another'), seededRandom('other ephemeral')),
      encryptPayload(keyPair('other').publicKey, Buffer.from('plain'), seededRandom('ephemeral')),
      Buffer.concat([Buffer.of(4), Buffer.alloc(100, 1)]),
      payload.subarray(0, 80),
      payload.subarray(0, -1),
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...kinds)), (payloads) => {
        expect(decryptor.decryptAll(payloads)).toEqual(payloads.map((one) => decryptor.decrypt(one)));
      }),
    );
    expect(decryptor.decryptAll(kinds).map(Boolean)).toEqual([true, true, false, false, false, false]);
  });

  it('tell a channel when their keys are agreed on, and nothing else', () => {
    const seen: unknown[] = [];
    const listeners = (['begin', 'end'] as const).map((moment) => ({
      channel: agreementsChannel[moment],
      listener: (message: unknown) => void seen.push({ moment, message }),
    }));
    for (const { channel, listener } of listeners) channel.subscribe(listener);
    decryptor.decryptAll([payload, payload.subarray(0, 80)]);
    for (const { channel, listener } of listeners) channel.unsubscribe(listener);
    decryptor.decryptAll([payload]);
    expect(seen).toEqual([
      { moment: 'begin', message: {} },
      { moment: 'end', message: {} },
    ]);
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

describe('the secrets of a decryptor', () => {
  const scalar = Buffer.concat([Buffer.alloc(2), seededRandom('short scalar')(30)]);
  const decryptor = new PacketDecryptor(scalar);

  it('are its scalar, with leading zeros', () => {
    expect(decryptor.privateScalar()).toEqual(scalar);
    expect(new PacketDecryptor(decryptor.privateScalar()).publicKey).toEqual(decryptor.publicKey);
  });

  it('do not change with a copy that was given out', () => {
    decryptor.privateScalar().fill(0);
    expect(decryptor.privateScalar()).toEqual(scalar);
  });

  it('are what HKDF makes of it for a purpose', () => {
    const expected = Buffer.from(hkdfSync('sha256', scalar, new Uint8Array(32), 'purpose', 64));
    expect(decryptor.deriveSecret('purpose', 64)).toEqual(expected);
    expect(decryptor.deriveSecret(Buffer.from('purpose'), 64)).toEqual(expected);
    expect(decryptor.deriveSecret('purposes', 64)).not.toEqual(expected);
  });

  it('are in no text that is made of it', () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line) => void lines.push(line) });
    log.info({ decryptor, nested: { keys: [decryptor] } }, 'keys');
    log.info(decryptor);
    const texts = [
      ...lines,
      JSON.stringify(decryptor),
      inspect(decryptor, { showHidden: true, depth: Infinity, getters: true }),
      inspect({ keys: [decryptor] }, { showProxy: true, depth: Infinity }),
      inspect(Object.getOwnPropertyDescriptors(decryptor), { depth: Infinity }),
      JSON.stringify(structuredClone(decryptor)),
      JSON.stringify(Object.entries(decryptor)),
    ];
    // Without its zeros, and any half of it, in any form that bytes are printed in.
    const secrets = [scalar.subarray(2), scalar.subarray(2, 16), scalar.subarray(16)].flatMap((part) => [
      part.toString('hex'),
      part.toString('hex').replace(/(..)(?!$)/g, '$1 '),
      part.toString('base64').replace(/.=*$/, ''),
      [...part].join(','),
      [...part].join(', '),
    ]);
    for (const text of texts) {
      expect(secrets.filter((secret) => text.toLowerCase().includes(secret.toLowerCase()))).toEqual([]);
    }
    expect(texts.filter((text) => text.includes(decryptor.keyId)).length).toBeGreaterThan(4);
  });
});
