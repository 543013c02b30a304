import { describe, expect, it } from 'vitest';
import { PacketDecryptor } from '../../../facilitator/crypto/ecies.ts';
import { PacketUndecryptable } from '../../../facilitator/errors.ts';
import { PacketOpener } from '../../../facilitator/packet-opener.ts';
import { shareLayout } from '../../../facilitator/prio/layout.ts';
import { unpackShare } from '../../../facilitator/prio/share.ts';
import { seededRandom } from '../../support/prio.ts';
import { twoKeyPayload } from '../../support/two-key-payload.ts';

const random = seededRandom('two keys');
const scalars: [Uint8Array, Uint8Array] = [random(32), random(32)];
const [older, newer] = scalars.map((scalar) => new PacketDecryptor(scalar)) as [PacketDecryptor, PacketDecryptor];
const packet = {
  uuid: '6b3a2c1e-0f4d-4e55-9d6a-0c2f9a1b7e30',
  encrypted_payload: twoKeyPayload(scalars, random(32), random(32)),
  encryption_key_id: null,
  r_pit: 17,
  version_configuration: null,
  device_nonce: null,
};

describe('a payload that opens under two keys', () => {
  it('gives two different seeds', () => {
    const seeds = [older, newer].map((decryptor) => decryptor.decrypt(packet.encrypted_payload));
    expect(seeds.map((seed) => seed?.length)).toEqual([32, 32]);
    expect(seeds[0]).not.toEqual(seeds[1]);
  });

  it.each([
    ['older first', [older, newer]],
    ['newer first', [newer, older]],
  ])('is opened with the first key given: %s', (_, keys) => {
    const expected = unpackShare(keys[0]!.decrypt(packet.encrypted_payload)!, shareLayout(3), false);
    const opener = new PacketOpener(3, 1, keys);
    // Whatever opened the packets before it.
    for (let repeat = 0; repeat < 3; repeat++) expect(opener.open(packet).share).toEqual(expected);
  });

  it('stays with the first key after packets that only the second opens', () => {
    const only = (decryptor: PacketDecryptor): PacketOpener => new PacketOpener(3, 1, [decryptor]);
    const opener = new PacketOpener(3, 1, [older, newer]);
    const foreign = { ...packet, encrypted_payload: twoKeyPayload([scalars[1], random(32)], random(32), random(32)) };
    for (let history = 0; history < 50; history++) opener.open(foreign);
    expect(opener.open(packet).share).toEqual(only(older).open(packet).share);
    expect(() => only(older).open(foreign)).toThrow(PacketUndecryptable);
  });
});
