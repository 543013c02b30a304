import { describeBatch, sealedSumKey, validationKeys, type BatchId } from '../common/domain/batch-path.ts';
import { formatUuid } from '../common/domain/uuid.ts';
import { readIfThere } from '../common/runtime/read-object.ts';
import type { AggregateBatchSetup } from './aggregate-batch-setup.ts';
import type { OpenBatch } from './batch/open-batch.ts';
import { OwnValidation } from './batch/own-validation.ts';
import type { ValidationBlock } from './codec/record-block.ts';
import type { IngestionHeader } from './codec/records.ts';
import { OwnValidationContradicted, PacketUndecryptable } from './errors.ts';
import type { Judgement } from './join/judge.ts';
import type { OwnBlock } from './join/own-block.ts';
import { ownSequence } from './join/own-sequence.ts';
import type { ToldMessages } from './join/told-messages.ts';
import { openPackets, type OpenedBatch } from './open-packets.ts';
import { OpeningTally } from './packet-tally.ts';
import { countInvalid } from './read-party-batch.ts';
import { requireBelongs } from './sealed-sum/belongs.ts';
import type { SealedSumContent } from './sealed-sum/content.ts';
import { openSealedSum, type UnopenedReason } from './sealed-sum/seal.ts';

/** Our side of a batch. */
export type OwnPackets =
  | {
      /** Every packet has been opened, now or at intake. */
      readonly kind: 'opened';
      /** In the ingestion batch, repeats and all. */
      readonly packets: number;
      /** In file order, with our messages; may be asked for once. */
      readonly sequence: (signal?: AbortSignal) => AsyncIterable<OwnBlock>;
      /** `bins` field elements: the data of the first packets of their UUIDs, as far as we told about them. */
      readonly sum: Uint32Array;
      /** Bytes of all encrypted payloads. */
      readonly payloadBytes: number;
      /** SHA-256 of the ingestion packet file. */
      readonly packetFileDigest: Uint8Array;
      /** To be called when the sequence has been read. @throws OwnValidationContradicted if our records disagree */
      readonly check: (judgement: Pick<Judgement, 'packets'>) => void;
    }
  | { readonly kind: 'undecryptable'; readonly packets: number; readonly error: PacketUndecryptable };

/**
 * Our side of a batch: from our own validation batch and the sealed sum, as intake left them, or else by opening every
 * packet again, with the same result. docs/protocol.md, "aggregate".
 * @throws OwnValidationContradicted if what we compute now is not, message for message, what the peer was told
 */
export async function ownPackets(
  aggregationId: string,
  batch: BatchId,
  ingestion: OpenBatch<IngestionHeader>,
  setup: AggregateBatchSetup,
  signal?: AbortSignal,
): Promise<OwnPackets> {
  const { ownInput, server, signingKey } = setup;
  const keys = validationKeys(aggregationId, batch, server);
  const own = ownInput && (await OwnValidation.open(ownInput, keys, signingKey, ingestion.header, signal));
  const sealed = own && (await openedSum(aggregationId, batch, own, ingestion, setup, signal));
  return sealed ?? openAgain(aggregationId, batch, ingestion, own, setup, signal);
}

async function openedSum(
  aggregationId: string,
  batch: BatchId,
  own: OwnValidation,
  { header, packetFile }: OpenBatch<IngestionHeader>,
  { ownInput, server, decryptors, log, metrics }: AggregateBatchSetup,
  signal?: AbortSignal,
): Promise<OwnPackets | undefined> {
  const unopened = (reason: UnopenedReason | 'missing', why: string): undefined => {
    metrics.increment('facilitator_sealed_sums_total', { aggregation_id: aggregationId, result: reason });
    log.warn({ reason }, `sealed sum is not used, every packet is opened again: ${why}`);
  };
  const packetFileDigest = packetFile.statedDigest;
  // Where digests are permitted to be wrong, only the file itself can say which one it is.
  if (!own.isMadeFrom(packetFileDigest)) return undefined;
  const sealed = ownInput && (await readIfThere(ownInput, sealedSumKey(aggregationId, batch, server), { signal }));
  if (!sealed) return unopened('missing', 'there is none');
  const binding = { aggregationId, batch, server, ingestionPacketFileDigest: packetFileDigest };
  const opened = openSealedSum(sealed.bytes, binding, decryptors);
  if (opened.kind === 'unopened') return unopened(opened.reason, opened.why);
  metrics.increment('facilitator_sealed_sums_total', { aggregation_id: aggregationId, result: 'used' });
  const { content, keyIndex } = opened;
  // The index is that of one of them.
  metrics.increment('facilitator_key_uses_total', { use: 'open_sealed_sum', key_id: decryptors[keyIndex]!.keyId });
  return {
    kind: 'opened',
    packets: content.packets,
    sequence: (signal) => ownSequence(own.packets(signal), content.leftOut, content.repeats),
    sum: content.sum,
    payloadBytes: content.payloadBytes,
    packetFileDigest,
    check: ({ packets }) => requireAgreement(content, packets, header.bins, own, describeBatch(aggregationId, batch)),
  };
}

function requireAgreement(
  content: SealedSumContent,
  packets: number,
  bins: number,
  own: OwnValidation,
  place: string,
): void {
  const told = { bins, packetFileDigest: own.packetFileDigest, packets: packets - content.leftOut.positions.length };
  requireBelongs(content, told, place);
}

async function openAgain(
  aggregationId: string,
  batch: BatchId,
  { header, packetFile }: OpenBatch<IngestionHeader>,
  own: OwnValidation | undefined,
  { server, decryptors, engine, metrics }: AggregateBatchSetup,
  signal?: AbortSignal,
): Promise<OwnPackets> {
  const tally = new OpeningTally();
  const context = { bins: header.bins, server, decryptors };
  try {
    const opened = await openPackets(packetFile, { context, engine, tally }, signal);
    own?.requireMadeFrom(opened.packetFileDigest);
    if (own) await requireAsTold(own, opened, signal);
    return { kind: 'opened', ...sideOf(opened) };
  } catch (error) {
    countInvalid('ingestion', error, metrics);
    if (!(error instanceof PacketUndecryptable)) throw error;
    if (!own) return { kind: 'undecryptable', packets: tally.packets, error };
    throw new OwnValidationContradicted(
      `the peer was told that batch ${describeBatch(aggregationId, batch)} is in order, but now it cannot be decrypted; is a packet decryption key missing?`,
      { cause: error },
    );
  } finally {
    tally.countKeyUses(metrics, decryptors);
  }
}

function sideOf({
  told,
  sum,
  payloadBytes,
  packetFileDigest,
}: OpenedBatch): Omit<Extract<OwnPackets, { kind: 'opened' }>, 'kind'> {
  return {
    packets: told.packets,
    sequence: () => ownSequence(blocksOf(told), told.leftOut, told.repeats),
    sum,
    payloadBytes,
    packetFileDigest,
    check: () => {},
  };
}

/** What intake would leave in our own validation batch. */
async function* blocksOf(told: ToldMessages): AsyncGenerator<ValidationBlock> {
  for (const block of told.blocks()) yield { ...block, inRange: new Uint8Array(block.count).fill(1) };
}

/** @throws OwnValidationContradicted if what we compute now is not, message for message, what the peer was told */
async function requireAsTold(own: OwnValidation, { told }: OpenedBatch, signal?: AbortSignal): Promise<void> {
  const differing = await told.firstDifference(own.packets(signal));
  if (!differing) return;
  throw new OwnValidationContradicted(
    `the verification message for packet ${formatUuid(differing)} is not the one that the peer was told; were the packet decryption keys changed or reordered?`,
  );
}
