import { createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { uuidBytes } from '../../../common/domain/uuid.ts';
import { PacketDecryptor } from '../../../facilitator/crypto/ecies.ts';
import type { SumBinding } from '../../../facilitator/sealed-sum/binding.ts';
import type { SealedSumContent } from '../../../facilitator/sealed-sum/content.ts';
import { openSealedSum, sealSum } from '../../../facilitator/sealed-sum/seal.ts';
import vector from '../../vectors/sealed-sum.json' with { type: 'json' };

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const file = hex(vector.file);
const scalar = hex(vector.scalar);
const key = new PacketDecryptor(scalar);

const binding: SumBinding = {
  aggregationId: vector.binding.aggregationId,
  batch: { id: vector.binding.batchId, time: new Date(vector.binding.batchTime) },
  server: 1,
  ingestionPacketFileDigest: hex(vector.binding.ingestionPacketFileDigest),
};

const content: SealedSumContent = {
  bins: vector.content.bins,
  packets: vector.content.packets,
  sum: Uint32Array.from(vector.content.sum),
  leftOut: {
    positions: Uint32Array.from(vector.content.leftOutPositions),
    uuids: Uint8Array.from(vector.content.leftOutUuids.flatMap((uuid) => [...uuidBytes(uuid)])),
  },
  repeats: Uint32Array.from(vector.content.repeats),
  payloadBytes: vector.content.payloadBytes,
  validationDigest: Uint8Array.from(hex(vector.content.validationDigest)),
};

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

describe('the sealed sum that was made when the format was', () => {
  it('is made again to the byte', () => {
    expect(sealSum(content, binding, key).toString('hex')).toBe(vector.file);
  });

  it('opens', () => {
    expect(openSealedSum(file, binding, [key])).toEqual({ kind: 'opened', content, keyIndex: 0 });
  });

  it('is what docs/protocol.md says, by calls of node:crypto alone', () => {
    const parts = [
      Buffer.from('data-share-processor sealed sum'),
      hex('01'),
      Buffer.from('kittens-seen'),
      hex('0f0e0d0c0b0a49088706050403020100'),
      Buffer.from('2021/01/02/03/04'),
      hex('01'),
      hex(vector.binding.ingestionPacketFileDigest),
    ];
    const bound = Buffer.concat(parts.flatMap((part) => [word(part.length), part]));
    const info = Buffer.concat([
      Buffer.from('data-share-processor sealed sum, keys, version 1'),
      createHash('sha256').update(bound).digest(),
    ]);
    const keys = Buffer.from(hkdfSync('sha256', scalar, Buffer.alloc(32), info, 64));

    expect(file.subarray(0, 8)).toEqual(Buffer.from('dsp-sum\x01'));
    const nonce = file.subarray(8, 20);
    const decipher = createDecipheriv('aes-256-gcm', keys.subarray(0, 32), nonce);
    decipher.setAAD(bound);
    decipher.setAuthTag(file.subarray(-16));
    const plain = Buffer.concat([decipher.update(file.subarray(20, -16)), decipher.final()]);

    const { leftOutPositions, leftOutUuids, payloadBytes, repeats, sum, validationDigest } = vector.content;
    const expected = [
      ...[1, 3, 5, 2, 2].map(word),
      word(payloadBytes % 2 ** 32),
      word(Math.floor(payloadBytes / 2 ** 32)),
      hex(validationDigest),
      ...sum.map(word),
      ...leftOutPositions.map(word),
      ...leftOutUuids.map((uuid) => hex(uuid.replaceAll('-', ''))),
      ...repeats.map(word),
    ];
    expect(plain).toEqual(Buffer.concat(expected));
    expect(nonce).toEqual(createHmac('sha256', keys.subarray(32)).update(plain).digest().subarray(0, 12));
  });
});
