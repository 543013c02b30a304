import { reduce } from '../../../facilitator/prio/field.ts';
import { isValidProof, type VerificationMessage } from '../../../facilitator/prio/verification.ts';
import type { Message, Packet, Told } from './packets.ts';

/* Intake and aggregate as one writes them down with maps. docs/protocol.md. */

/** What intake tells the peer. */
export function toldAbout(packets: readonly Packet[]): Told[] {
  const firsts = firstOf(packets);
  return packets.flatMap(({ uuid }) => {
    const message = firsts.get(uuid);
    return message ? [{ uuid, message }] : [];
  });
}

/** The first message about each UUID, `undefined` if it is none. */
export function firstOf(list: readonly Told[]): Map<number, Message | undefined> {
  const messages = new Map<number, Message | undefined>();
  for (const { uuid, message } of list) if (!messages.has(uuid)) messages.set(uuid, message);
  return messages;
}

export interface ModelJudgement {
  packets: number;
  distinctPackets: number;
  summed: number;
  withoutPeer: number;
  proofFailed: number;
  repeats: number;
  failing: number[];
  invalid: number[];
  outOfRange: number | undefined;
}

/** What aggregate finds. */
export function judgeNaively(own: readonly Packet[], peer: readonly Told[]): ModelJudgement {
  const firsts = firstOf(own);
  const peerMessages = firstOf(peer);
  const seen = new Set<number>();
  const result: ModelJudgement = {
    packets: own.length,
    distinctPackets: firsts.size,
    summed: 0,
    withoutPeer: 0,
    proofFailed: 0,
    repeats: own.length - firsts.size,
    failing: [],
    invalid: [],
    outOfRange: undefined,
  };
  for (const [position, { uuid }] of own.entries()) {
    const isFirst = !seen.has(uuid);
    seen.add(uuid);
    const message = firsts.get(uuid);
    const isSummed = message && isValid(message, peerMessages.get(uuid));
    if (isFirst && message && !isSummed) result.failing.push(position);
    if (!message || !peerMessages.has(uuid)) {
      result.invalid.push(uuid);
      if (isFirst) result.withoutPeer++;
    } else if (isFirst && isSummed) result.summed++;
    else if (isFirst) {
      result.proofFailed++;
      if (peerMessages.get(uuid)) result.invalid.push(uuid);
      else result.outOfRange ??= uuid;
    }
  }
  return result;
}

function isValid(ours: Message, theirs: Message | undefined): boolean {
  return theirs !== undefined && isValidProof(elements(ours), elements(theirs));
}

function elements([f_r, g_r, h_r]: Message): VerificationMessage {
  return { f_r: reduce(f_r), g_r: reduce(g_r), h_r: reduce(h_r) };
}
