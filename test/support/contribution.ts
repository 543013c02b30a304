import { encryptPayload } from '../../facilitator/crypto/ecies.ts';
import { prove } from '../../facilitator/prio/client.ts';
import { add, P, pow, sub } from '../../facilitator/prio/field.ts';
import { shareLayout } from '../../facilitator/prio/layout.ts';
import { principalRoot } from '../../facilitator/prio/roots.ts';
import { expandSeed } from '../../facilitator/prio/seed.ts';
import type { PacketKeys } from './servers.ts';
import { seededRandom } from './prio.ts';
import { twoKeyPayload } from './two-key-payload.ts';

/** What a client, or somebody in its place, does. */
export const BEHAVIOURS = [
  'honest',
  /** A datum is 2, so the proof fails. */
  'cheating',
  /** The evaluation point is a root of unity, possibly above p. */
  'root of unity',
  /** The two servers get different evaluation points. */
  'two points',
  /** The payloads are for the servers' second keys. */
  'second key',
  /** The second server's payload opens under both its keys; the proof is about what the first one shows. */
  'opens under two keys',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** One contribution as the two servers get it. */
export interface Contribution {
  readonly behaviour: Behaviour;
  /** One a bin. */
  readonly data: readonly number[];
  /** By server: unpacked share, payload, evaluation point. */
  readonly shares: readonly [Uint32Array, Uint32Array];
  readonly payloads: readonly [Buffer, Buffer];
  readonly rPits: readonly [number, number];
  /** Whether both servers must count it. */
  readonly isValid: boolean;
}

/** A contribution that is a function of its arguments alone. */
export function contribute(behaviour: Behaviour, bins: number, label: string, keys: PacketKeys): Contribution {
  const random = seededRandom(label);
  const number = (): number => Buffer.from(random(4)).readUInt32LE();
  const bits = Array.from({ length: bins }, () => number() & 1);
  const data = behaviour === 'cheating' ? bits.with(number() % bins, 2) : bits;
  const proof = prove(data, number() % P, number() % P);
  const keyIndex = behaviour === 'second key' ? 1 : 0;
  let seed = random(32);
  let second = encryptPayload(keys[1][keyIndex].point, seed, random);
  if (behaviour === 'opens under two keys') {
    second = twoKeyPayload([keys[1][0].scalar, keys[1][1].scalar], random(32), random(32));
    seed = keys[1][0].decryptor.decrypt(second)!;
  }
  const mask = expandSeed(seed, proof.length);
  const share = proof.map((element, i) => sub(element, mask[i]!));
  const first = encryptPayload(keys[0][keyIndex].point, littleEndian(share), random);
  return {
    behaviour,
    data,
    shares: [share, mask],
    payloads: [first, second],
    rPits: points(behaviour, bins, number),
    isValid: behaviour !== 'cheating' && behaviour !== 'root of unity' && behaviour !== 'two points',
  };
}

function points(behaviour: Behaviour, bins: number, number: () => number): [number, number] {
  const order = 2 * shareLayout(bins).points;
  const regular = (): number => {
    for (;;) {
      const r = number();
      if (pow(r % P, order) !== 1) return r;
    }
  };
  if (behaviour === 'root of unity') {
    const root = pow(principalRoot(order), number() % order);
    // The same element, written as an integer above p where there is room for that.
    const above = root + P <= 0xffff_ffff ? root + P : root;
    return number() & 1 ? [root, root] : [above, above];
  }
  const r = regular();
  return behaviour === 'two points' ? [r, add(r % P, 1) === 1 ? 5 : regular()] : [r, r];
}

function littleEndian(elements: Uint32Array): Uint8Array {
  const words = new DataView(new ArrayBuffer(4 * elements.length));
  for (const [i, element] of elements.entries()) words.setUint32(4 * i, element, true);
  return new Uint8Array(words.buffer);
}
