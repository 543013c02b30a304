import { describe, expect, it } from 'vitest';
import { PacketDecryptor } from '../../../facilitator/crypto/ecies.ts';
import { PacketUndecryptable } from '../../../facilitator/errors.ts';
import { ChunkOpener } from '../../../facilitator/packets/chunk-opener.ts';
import { shareLayout } from '../../../facilitator/prio/layout.ts';
import { ModelEvaluator } from '../../../facilitator/prio/model-evaluator.ts';
import { unpackShare } from '../../../facilitator/prio/share.ts';
import { chunksOf } from '../../support/chunks.ts';
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

const openerOf = (keys: readonly PacketDecryptor[]): ChunkOpener =>
  new ChunkOpener(new ModelEvaluator(shareLayout(3), false), keys);
const [chunk] = await chunksOf([packet]);
const sumOf = (opener: ChunkOpener): Uint32Array => opener.open(chunk!).sum;

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
    const opener = openerOf(keys);
    // Whatever opened the packets before it.
    for (let repeat = 0; repeat < 3; repeat++) expect(sumOf(opener)).toEqual(expected.subarray(0, 3));
  });

  it('stays with the first key after packets that only the second opens', async () => {
    const opener = openerOf([older, newer]);
    const payload = twoKeyPayload([scalars[1], random(32)], random(32), random(32));
    const [foreign] = await chunksOf([{ ...packet, encrypted_payload: payload }]);
    for (let history = 0; history < 50; history++) opener.open(foreign!);
    expect(sumOf(opener)).toEqual(sumOf(openerOf([older])));
    expect(opener.open(chunk!).keyUses).toEqual([1, 0]);
    expect(() => openerOf([older]).open(foreign!)).toThrow(PacketUndecryptable);
  });
});
