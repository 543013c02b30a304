import type { ValidationBlock } from '../codec/record-block.ts';
import { isValidProof } from '../prio/verification.ts';
import { readMessage, type ReusedMessage } from './message-table.ts';
import { NumberList } from './number-list.ts';
import type { OwnBlock } from './own-block.ts';
import { PeerMessages, type Found } from './peer-messages.ts';
import { UuidList } from './uuid-list.ts';
import { uuidOfRow } from './uuid-rows.ts';
import { UuidTable } from './uuid-table.ts';

/** What becomes of the packets of a batch. */
export interface Judgement {
  /** In the ingestion file, repeats and all. */
  readonly packets: number;
  /** Repeats not counted: those summed, those without a message and those whose proof failed. */
  readonly distinctPackets: number;
  readonly summed: number;
  /** First packets about which we or the peer said nothing. */
  readonly withoutPeer: number;
  /** First packets whose proof is not valid, or whose message from the peer is out of range. */
  readonly proofFailed: number;
  readonly repeats: number;
  /** Positions of the first packets about which we told something and that nevertheless are not summed, ascending. */
  readonly failing: Uint32Array;
  /** Our messages about them: `f_r`, `g_r`, `h_r` of each in turn. */
  readonly failingMessages: Uint32Array;
  /** Packets that are not in the sum, in the order found; those without a message again for each repeat. */
  readonly invalidUuids: UuidList;
  /** UUID of the first packet about which the peer says something that is no unsigned 32-bit integers: no sum may be made. */
  readonly outOfRange: Uint8Array | undefined;
  /** Whether the peer's messages came in the order of our packets, so that none had to be kept. */
  readonly isInOrder: boolean;
}

/**
 * Judges every packet by what we and the peer say about the first packet of its UUID. Both streams are read to their
 * ends, unless one fails. docs/protocol.md, "aggregate".
 */
export async function judge(own: AsyncIterable<OwnBlock>, peer: AsyncIterable<ValidationBlock>): Promise<Judgement> {
  await using messages = new PeerMessages(peer);
  const judging = new Judging(messages);
  for await (const block of own) {
    for (let row = 0; row < block.count; row++) {
      // Only now and then is there anything to wait for.
      while (!judging.takePacket(block, row)) await messages.readOn();
    }
  }
  await messages.readToEnd();
  return judging.result();
}

class Judging {
  readonly #peer: PeerMessages;
  /** First packets without a message from us or the peer. */
  readonly #withoutPeer = new UuidTable();
  readonly #failing = new NumberList();
  readonly #failingMessages = new NumberList();
  readonly #invalidUuids = new UuidList();
  readonly #ownMessage: ReusedMessage = { f_r: 0, g_r: 0, h_r: 0 };
  #packets = 0;
  #repeats = 0;
  #summed = 0;
  #outOfRange: Uint8Array | undefined;

  constructor(peer: PeerMessages) {
    this.#peer = peer;
  }

  /** @returns false if more of the peer's messages must be read before the packet can be taken */
  takePacket(block: OwnBlock, row: number): boolean {
    if (block.repeat[row] === 1) {
      if (!this.#takeRepeat(block, row)) return false;
      this.#repeats++;
    } else {
      const found = block.told[row] === 1 ? this.#peer.find(block.uuids, row) : 'untold';
      if (found === 'unread') return false;
      this.#takeFirst(block, row, found);
    }
    this.#packets++;
    return true;
  }

  result(): Judgement {
    const withoutPeer = this.#withoutPeer.size;
    const distinctPackets = this.#packets - this.#repeats;
    return {
      packets: this.#packets,
      distinctPackets,
      summed: this.#summed,
      withoutPeer,
      proofFailed: distinctPackets - this.#summed - withoutPeer,
      repeats: this.#repeats,
      failing: this.#failing.toArray(),
      failingMessages: this.#failingMessages.toArray(),
      invalidUuids: this.#invalidUuids,
      outOfRange: this.#outOfRange,
      isInOrder: this.#peer.isInOrder,
    };
  }

  #takeRepeat({ uuids }: OwnBlock, row: number): boolean {
    if (this.#withoutPeer.find(uuids, row) < 0) return this.#peer.leaveOut(uuids, row);
    // The reference lists such a packet again for every repeat.
    this.#invalidUuids.push(uuids, row);
    return true;
  }

  #takeFirst({ uuids, messages }: OwnBlock, row: number, found: Exclude<Found, 'unread'> | 'untold'): void {
    if (found === 'message') {
      readMessage(messages, row, this.#ownMessage);
      if (isValidProof(this.#ownMessage, this.#peer.message)) {
        this.#summed++;
        return;
      }
    }
    if (found === 'outOfRange') this.#outOfRange ??= uuidOfRow(uuids, row);
    else this.#invalidUuids.push(uuids, row);
    if (found === 'nothing' || found === 'untold') this.#withoutPeer.add(uuids, row);
    if (found === 'untold') return;
    this.#failing.push(this.#packets);
    for (let i = 3 * row; i < 3 * row + 3; i++) this.#failingMessages.push(messages[i]!); // a row of the block
  }
}
