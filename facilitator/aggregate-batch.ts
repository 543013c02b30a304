import type { Logger } from 'pino';
import { describeBatch, validationKeys, type BatchId, type ServerIndex } from '../common/domain/batch-path.ts';
import type { Storage } from '../common/ports/storage.ts';
import { breathe, PACKETS_PER_BREATH } from '../common/runtime/breathe.ts';
import { differingFields } from './batch/header.ts';
import { firstDifference, readOwnValidation, type OwnValidation } from './batch/own-validation.ts';
import type { SignedBatch } from './batch/read-batch.ts';
import type { DataSharePacket, IngestionHeader, ValidationHeader, ValidationPacket } from './codec/records.ts';
import { validationHeader, validationPacket } from './codec/record-types.ts';
import type { PacketDecryptor } from './crypto/ecies.ts';
import type { KeySource } from './crypto/key-source.ts';
import type { SigningKey } from './crypto/signature.ts';
import { HeadersDiffer, OwnValidationContradicted, PacketUndecryptable, PeerValidationUnusable } from './errors.ts';
import { readIngestionBatch, trustIn } from './intake.ts';
import type { Metrics } from './metrics/metrics.ts';
import { isU32, PacketOpener, type OpenedPacket } from './packet-opener.ts';
import { countKeyUses, type PacketTally } from './packet-tally.ts';
import { reduce } from './prio/field.ts';
import { shareLayout } from './prio/layout.ts';
import { accumulate } from './prio/sum.ts';
import { isValidProof, type VerificationMessage } from './prio/verification.ts';
import { readPartyBatch } from './read-party-batch.ts';

export interface AggregateBatchSetup {
  readonly server: ServerIndex;
  readonly ingestorInput: Storage;
  readonly ingestorKeys: KeySource;
  readonly peerInput: Storage;
  readonly peerKeys: KeySource;
  /** Where intake kept our own validation batches; without it every message is recomputed unchecked. */
  readonly ownInput: Storage | undefined;
  readonly decryptors: readonly PacketDecryptor[];
  readonly signingKey: SigningKey;
  readonly permitMalformed: boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** What became of one batch. */
export type BatchResult =
  | { readonly kind: 'empty' }
  | { readonly kind: 'undecryptable'; readonly header: IngestionHeader; readonly tally: PacketTally }
  | {
      readonly kind: 'summed';
      readonly header: IngestionHeader;
      /** `bins` field elements. */
      readonly sum: Uint32Array;
      /** Packets in the sum. */
      readonly packets: number;
      /** Packets in the batch, repeats not counted. */
      readonly distinctPackets: number;
      /** In the order in which they were found. */
      readonly invalidUuids: readonly string[];
      readonly tally: PacketTally;
    };

/**
 * Joins one ingestion batch with the peer's validation of it and sums the valid packets' shares.
 * docs/protocol.md, "aggregate".
 */
export async function aggregateBatch(
  aggregationId: string,
  batch: BatchId,
  setup: AggregateBatchSetup,
  signal?: AbortSignal,
): Promise<BatchResult> {
  const log = setup.log.child({ batch_id: batch.id });
  const both = await readAgreeing(aggregationId, batch, { ...setup, log }, signal);
  if (!both) {
    log.warn('batch has no packets and is left out');
    return { kind: 'empty' };
  }
  const { ingestion, own, peer } = both;
  const opener = new PacketOpener(ingestion.header.bins, setup.server, setup.decryptors);
  try {
    return await sumPackets(ingestion, firstMessages(peer), own, opener, log, signal);
  } catch (err) {
    if (!(err instanceof PacketUndecryptable)) throw err;
    if (own) {
      throw new OwnValidationContradicted(
        `the peer was told that batch ${describeBatch(aggregationId, batch)} is in order, but now it cannot be decrypted; is a packet decryption key missing?`,
        { cause: err },
      );
    }
    log.warn({ error_code: err.code, error: err.message }, 'batch cannot be decrypted and is left out');
    const results = { undecryptable: ingestion.packetCount };
    return { kind: 'undecryptable', header: ingestion.header, tally: { results, bytes: 0 } };
  } finally {
    countKeyUses(setup.metrics, opener);
  }
}

/** All that is known of one batch. */
interface BothSides {
  readonly ingestion: SignedBatch<IngestionHeader, DataSharePacket>;
  readonly own: OwnValidation | undefined;
  readonly peer: SignedBatch<ValidationHeader, ValidationPacket>;
}

/**
 * Both sides of a batch, of which the headers agree. Where they do not, everything is read once more: the batch may have
 * been replaced in between, and what is rejected does not come back.
 * @returns `undefined` if the batch has no packets
 * @throws HeadersDiffer if they still do not
 */
async function readAgreeing(
  aggregationId: string,
  batch: BatchId,
  setup: AggregateBatchSetup,
  signal?: AbortSignal,
): Promise<BothSides | undefined> {
  for (let isSecond = false; ; isSecond = true) {
    const both = await readBothSides(aggregationId, batch, setup, signal);
    const differing = both ? differingFields(both.ingestion.header, both.peer.header) : [];
    if (differing.length === 0) return both;
    if (isSecond) {
      throw new HeadersDiffer(
        `the peer's validation header of ${describeBatch(aggregationId, batch)} differs from the ingestion header in ${differing.join(', ')}`,
      );
    }
    setup.log.warn({ fields: differing }, 'headers of ingestion and peer differ, reading both again');
  }
}

async function readBothSides(
  aggregationId: string,
  batch: BatchId,
  setup: AggregateBatchSetup,
  signal?: AbortSignal,
): Promise<BothSides | undefined> {
  const ingestion = await readIngestionBatch({ aggregationId, batch }, setup, setup.log, signal);
  shareLayout(ingestion.header.bins);
  const ownKeys = validationKeys(aggregationId, batch, setup.server);
  const own = setup.ownInput && (await readOwnValidation(setup.ownInput, ownKeys, setup.signingKey, ingestion, signal));
  // After our own record, which may know of packets that are gone now.
  if (ingestion.packetCount === 0) return undefined;
  return { ingestion, own, peer: await readPeerValidation(aggregationId, batch, setup, signal) };
}

async function readPeerValidation(
  aggregationId: string,
  batch: BatchId,
  setup: AggregateBatchSetup,
  signal?: AbortSignal,
): Promise<SignedBatch<ValidationHeader, ValidationPacket>> {
  const source = {
    storage: setup.peerInput,
    keys: validationKeys(aggregationId, batch, setup.server === 0 ? 1 : 0),
    headerType: validationHeader,
    packetType: validationPacket,
  };
  try {
    const trust = trustIn(setup.peerKeys, setup.permitMalformed, setup.log, 'peer');
    return await readPartyBatch('peer', source, trust, setup.metrics, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new PeerValidationUnusable(
      `the peer's validation of batch ${describeBatch(aggregationId, batch)} cannot be used`,
      { cause },
    );
  }
}

/** By UUID. Of several for one UUID the first counts: intake says the same for all, a reference peer's first is about its first packet. */
function firstMessages(peer: SignedBatch<ValidationHeader, ValidationPacket>): Map<string, ValidationPacket> {
  const messages = new Map<string, ValidationPacket>();
  for (const message of peer.packets()) if (!messages.has(message.uuid)) messages.set(message.uuid, message);
  return messages;
}

/**
 * Judges every packet and sums the shares of the valid ones. A packet is judged by the first packet of its UUID; a
 * repeat is not counted again.
 * @throws PacketUndecryptable, PacketMalformed, RPitOutOfRange; PeerValidationUnusable for a message out of range, but
 *   only if every packet opens, so that a batch that must be left out is; OwnValidationContradicted
 */
async function sumPackets(
  ingestion: SignedBatch<IngestionHeader, DataSharePacket>,
  peerMessages: ReadonlyMap<string, ValidationPacket>,
  own: OwnValidation | undefined,
  opener: PacketOpener,
  log: Logger,
  signal?: AbortSignal,
): Promise<BatchResult> {
  const { header } = ingestion;
  const sum = new Uint32Array(header.bins);
  /** Our message about the first packet of a UUID, `undefined` if there may be none. */
  const judged = new Map<string, VerificationMessage | undefined>();
  const invalidUuids: string[] = [];
  let packets = 0;
  let withoutPeer = 0;
  let position = 0;
  let outOfRange: string | undefined;
  for (const packet of ingestion.packets()) {
    if (++position % PACKETS_PER_BREATH === 0) await breathe(signal);
    const opened = opener.open(packet);
    const { uuid } = packet;
    const isRepeat = judged.has(uuid);
    if (!isRepeat) judged.set(uuid, opened.message);
    const peerMessage = judged.get(uuid) && peerMessages.get(uuid);
    if (!peerMessage) {
      // Nothing was said by one of the two servers; the reference lists such a packet again for every repeat.
      invalidUuids.push(uuid);
      if (!isRepeat) withoutPeer++;
    } else if (!isRepeat) {
      const message = inField(peerMessage);
      if (!message) outOfRange ??= uuid;
      else if (isSummed(opened, message)) {
        accumulate(sum, opened.share);
        packets++;
      } else invalidUuids.push(uuid);
    }
  }
  if (own) requireAsTold(own, judged);
  if (outOfRange !== undefined) {
    throw new PeerValidationUnusable(
      `the peer's verification message for packet ${outOfRange} of batch ${header.batch_uuid} is no vector of unsigned 32-bit integers`,
    );
  }
  const repeats = ingestion.packetCount - judged.size;
  log.info({ packets, invalid_packets: invalidUuids.length, repeated_packets: repeats }, 'batch summed');
  const proofFailed = judged.size - packets - withoutPeer;
  const results = { summed: packets, duplicate: repeats, no_peer_share: withoutPeer, proof_failed: proofFailed };
  const tally = { results, bytes: opener.payloadBytes };
  return { kind: 'summed', header, sum, packets, distinctPackets: judged.size, invalidUuids, tally };
}

function isSummed({ message }: OpenedPacket, peerMessage: VerificationMessage): boolean {
  return message !== undefined && isValidProof(message, peerMessage);
}

/** The message as field elements; `undefined` if a part is no unsigned 32-bit integer. */
function inField({ f_r, g_r, h_r }: ValidationPacket): VerificationMessage | undefined {
  if (!isU32(f_r) || !isU32(g_r) || !isU32(h_r)) return undefined;
  return { f_r: reduce(f_r), g_r: reduce(g_r), h_r: reduce(h_r) };
}

/** @throws OwnValidationContradicted if what we compute now is not, message for message, what the peer was told */
function requireAsTold(own: OwnValidation, now: ReadonlyMap<string, VerificationMessage | undefined>): void {
  const differing = firstDifference(own.messages, now);
  if (differing !== undefined) {
    throw new OwnValidationContradicted(
      `the verification message for packet ${differing} is not the one that the peer was told; were the packet decryption keys changed or reordered?`,
    );
  }
}
