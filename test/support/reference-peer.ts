import type { DataSharePacket, ValidationPacket } from '../../facilitator/codec/records.ts';
import { add, P } from '../../facilitator/prio/field.ts';
import { isValidProof, type VerificationMessage } from '../../facilitator/prio/verification.ts';
import { naiveMessage } from './prio.ts';

/*
 * A model of the reference implementation as the other server: what it says about each packet and what it sums, from
 * docs/protocol.md, "Differences from the reference". It knows the shares in the clear.
 */

/** A packet as the model sees it: its UUID, evaluation point and unpacked share. */
export interface ClearPacket extends Pick<DataSharePacket, 'uuid'> {
  readonly rPit: number;
  readonly share: Uint32Array;
}

/** It says something about every packet, roots of unity and repeats included. */
export function referenceMessages(
  packets: readonly ClearPacket[],
  bins: number,
  isFirst: boolean,
): (VerificationMessage & { readonly uuid: string })[] {
  return packets.map(({ uuid, rPit, share }) => ({ uuid, ...naiveMessage(share, bins, rPit % P, isFirst) }));
}

/** Of several messages of the peer for one UUID the last wins; its own packet is the first of its UUID. */
export function referenceSum(
  packets: readonly ClearPacket[],
  bins: number,
  isFirst: boolean,
  peerMessages: Iterable<ValidationPacket>,
): { readonly sum: Uint32Array; readonly counted: Set<string> } {
  const fromPeer = new Map<string, VerificationMessage>();
  // The messages are ours, unsigned 32-bit integers.
  for (const { uuid, f_r, g_r, h_r } of peerMessages) {
    fromPeer.set(uuid, { f_r: Number(f_r), g_r: Number(g_r), h_r: Number(h_r) });
  }
  const sum = new Uint32Array(bins);
  const seen = new Set<string>();
  const counted = new Set<string>();
  const own = referenceMessages(packets, bins, isFirst);
  for (const [i, { uuid, share }] of packets.entries()) {
    const message = fromPeer.get(uuid);
    if (!message || seen.has(uuid)) continue;
    seen.add(uuid);
    if (!isValidProof(own[i]!, message)) continue;
    counted.add(uuid);
    for (let k = 0; k < bins; k++) sum[k] = add(sum[k]!, share[k]!);
  }
  return { sum, counted };
}
