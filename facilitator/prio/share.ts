import { PacketMalformed } from '../errors.ts';
import { P } from './field.ts';
import type { ShareLayout } from './layout.ts';
import { expandSeed, SEED_LENGTH } from './seed.ts';

/**
 * The share in a decrypted payload, `layout.length` field elements.
 * @param plain server 0: that many little-endian 32-bit words, each below p; server 1: the 32-byte seed
 * @throws PacketMalformed if it is of another length or an element is not below p
 */
export function unpackShare(plain: Uint8Array, layout: ShareLayout, isFirst: boolean): Uint32Array {
  return isFirst ? unpackElements(plain, layout) : unpackSeed(plain, layout);
}

function unpackSeed(plain: Uint8Array, layout: ShareLayout): Uint32Array {
  if (plain.length !== SEED_LENGTH) {
    throw new PacketMalformed(`a share for the second server is a seed of ${SEED_LENGTH} bytes, not ${plain.length}`);
  }
  return expandSeed(plain, layout.length);
}

function unpackElements(plain: Uint8Array, layout: ShareLayout): Uint32Array {
  if (plain.length !== 4 * layout.length) {
    throw new PacketMalformed(
      `a share of ${layout.bins} bins for the first server has ${4 * layout.length} bytes, not ${plain.length}`,
    );
  }
  const words = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  const share = new Uint32Array(layout.length);
  for (let i = 0; i < share.length; i++) {
    const element = words.getUint32(4 * i, true);
    if (element >= P) throw new PacketMalformed(`element ${i} of the share is not below ${P}`);
    share[i] = element;
  }
  return share;
}
