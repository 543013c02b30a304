import type { Logger } from 'pino';
import { describeBatch, type BatchId } from '../common/domain/batch-path.ts';
import { formatUuid, UUID_BYTES } from '../common/domain/uuid.ts';
import type { AggregateBatchSetup } from './aggregate-batch-setup.ts';
import type { OpenBatch } from './batch/open-batch.ts';
import type { IngestionHeader } from './codec/records.ts';
import { HeadersDiffer, PeerValidationUnusable } from './errors.ts';
import { openIngestionBatch } from './intake.ts';
import { judge, type Judgement } from './join/judge.ts';
import type { UuidList } from './join/uuid-list.ts';
import { sumAt } from './open-packets.ts';
import { ownPackets, type OwnPackets } from './own-packets.ts';
import type { PacketTally } from './packet-tally.ts';
import { PeerValidation } from './peer-validation.ts';
import { shareLayout } from './prio/layout.ts';
import { takeAway } from './prio/sum.ts';

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
  if (own.kind === 'undecryptable') {
    await peer.readToEnd(signal);
    log.warn({ error_code: own.error.code, error: own.error.message }, 'batch cannot be decrypted and is left out');
    const results = { undecryptable: own.packets };
    return { kind: 'undecryptable', header: ingestion.header, tally: { results, bytes: 0 } };
  }
  const judgement = await judge(own.sequence(signal), peer.packets(signal));
  own.check(judgement);
  if (judgement.outOfRange) {
    throw new PeerValidationUnusable(
      `the peer's verification message for packet ${formatUuid(judgement.outOfRange)} of batch ${batch.id} is no vector of unsigned 32-bit integers`,
    );
  }
  const sum = await sumOfValid(ingestion, own, judgement, setup, signal);
  return summed(ingestion.header, sum, judgement, own.payloadBytes, log);
}

/** The sum of what intake told about, without the packets that turned out not to be valid. */
async function sumOfValid(
  { header, packetFile }: OpenBatch<IngestionHeader>,
  { sum, packetFileDigest }: Extract<OwnPackets, { kind: 'opened' }>,
  { failing, failingMessages }: Judgement,
  { server, decryptors, engine }: AggregateBatchSetup,
  signal?: AbortSignal,
): Promise<Uint32Array> {
  if (failing.length === 0) return sum;
  const context = { bins: header.bins, server, decryptors };
  const valid = sum.slice();
  const taken = { positions: failing, messages: failingMessages, packetFileDigest };
  takeAway(valid, await sumAt(packetFile, taken, { context, engine }, signal));
  return valid;
}

function summed(
  header: IngestionHeader,
  sum: Uint32Array,
  { summed: packets, distinctPackets, repeats, withoutPeer, proofFailed, invalidUuids }: Judgement,
  bytes: number,
  log: Logger,
): BatchResult {
  log.info({ packets, invalid_packets: invalidUuids.size, repeated_packets: repeats }, 'batch summed');
  const results = { summed: packets, duplicate: repeats, no_peer_share: withoutPeer, proof_failed: proofFailed };
  return {
    kind: 'summed',
    header,
    sum,
    packets,
    distinctPackets,
    invalidUuids: textsOf(invalidUuids),
    tally: { results, bytes },
  };
}

function textsOf(uuids: UuidList): string[] {
  const texts: string[] = [];
  for (const rows of uuids.rows()) {
    for (let at = 0; at < rows.length; at += UUID_BYTES) texts.push(formatUuid(rows.subarray(at, at + UUID_BYTES)));
  }
  return texts;
}

/** All that is known of one batch. */
interface BothSides {
  readonly ingestion: OpenBatch<IngestionHeader>;
  readonly own: OwnPackets;
  readonly peer: PeerValidation;
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
    const differing = both ? both.peer.differingFields(both.ingestion.header) : [];
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
  const ingestion = await openIngestionBatch({ aggregationId, batch }, setup, setup.log, signal);
  shareLayout(ingestion.header.bins);
  const own = await ownPackets(aggregationId, batch, ingestion, setup, signal);
  if (own.packets === 0) return undefined;
  return { ingestion, own, peer: await PeerValidation.open(aggregationId, batch, setup, signal) };
}
