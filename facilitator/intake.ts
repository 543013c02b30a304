import type { Logger } from 'pino';
import {
  describeBatch,
  ingestionKeys,
  sealedSumKey,
  validationKeys,
  type BatchId,
  type ServerIndex,
} from '../common/domain/batch-path.ts';
import { formatUuid } from '../common/domain/uuid.ts';
import type { Storage } from '../common/ports/storage.ts';
import { encodeHeader, encodeSignature } from './batch/encode-batch.ts';
import { requireBatchOfTask, validationHeaderOf } from './batch/header.ts';
import type { BatchTrust, OpenBatch } from './batch/open-batch.ts';
import { OwnValidation, ownValidationMetadata } from './batch/own-validation.ts';
import { ValidationFile } from './batch/validation-file.ts';
import type { IngestionHeader } from './codec/records.ts';
import { dataSharePacket, ingestionHeader, validationHeader } from './codec/record-types.ts';
import type { PacketDecryptor } from './crypto/ecies.ts';
import type { KeySource } from './crypto/key-source.ts';
import type { SigningKey } from './crypto/signature.ts';
import { BatchEmpty, OwnValidationContradicted, PacketUndecryptable } from './errors.ts';
import { countTask } from './metrics/count-task.ts';
import type { Metrics } from './metrics/metrics.ts';
import { openPackets, type OpenedBatch } from './open-packets.ts';
import { countPackets, OpeningTally } from './packet-tally.ts';
import type { PacketEngine } from './packets/packet-engine.ts';
import { shareLayout } from './prio/layout.ts';
import { countInvalid, openPartyBatch, type Party } from './read-party-batch.ts';
import { sealSum } from './sealed-sum/seal.ts';

export interface IntakeTask {
  readonly aggregationId: string;
  readonly batch: BatchId;
}

export interface IntakeSetup {
  readonly server: ServerIndex;
  readonly ingestorInput: Storage;
  readonly ingestorKeys: KeySource;
  readonly peerOutput: Storage;
  /** Where our own validation batches are kept; without it none are written. */
  readonly ownOutput: Storage | undefined;
  /** In the order in which they are tried; at least one. */
  readonly decryptors: readonly PacketDecryptor[];
  readonly signingKey: SigningKey;
  /** Take a batch in whose signature or digest does not verify, with a warning. */
  readonly permitMalformed: boolean;
  /** Write the peer's validation batch as one object. */
  readonly singleObject: boolean;
  readonly engine: PacketEngine;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface IntakeOutcome {
  readonly packets: number;
  /** Packets that got no verification message because their evaluation point is a root of unity. */
  readonly withoutMessage: number;
  /** False if all was written before, by our own record, and nothing was written now. */
  readonly isWritten: boolean;
}

/**
 * Takes one ingestion batch in: verifies it, opens every packet and tells the peer our verification messages.
 * Nothing is written unless every packet is in order. docs/protocol.md, "intake-batch".
 */
export function intakeBatch(task: IntakeTask, setup: IntakeSetup, signal?: AbortSignal): Promise<IntakeOutcome> {
  return countTask(setup.metrics, 'intake', task.aggregationId, () => takeIn(task, setup, signal));
}

async function takeIn(task: IntakeTask, setup: IntakeSetup, signal?: AbortSignal): Promise<IntakeOutcome> {
  const log = setup.log.child({ aggregation_id: task.aggregationId, batch_id: task.batch.id });
  const ingestion = await openIngestionBatch(task, setup, log, signal);
  const opened = await openAll(task, setup, ingestion, signal);
  const { packets, messages } = opened.told;
  if (packets === 0) {
    throw new BatchEmpty(`the ingestion batch ${describeBatch(task.aggregationId, task.batch)} has no packets`);
  }
  const isWritten = await write(task, setup, ingestion.header, opened, signal);
  const outcome = { packets, withoutMessage: packets - messages, isWritten };
  log.info(
    { packets: outcome.packets, packets_without_message: outcome.withoutMessage },
    isWritten ? 'batch taken in' : 'batch was taken in before, nothing is written',
  );
  if (isWritten) countTakenIn(task.aggregationId, setup, outcome, opened.payloadBytes);
  return outcome;
}

async function openAll(
  { aggregationId }: IntakeTask,
  { server, decryptors, engine, metrics }: IntakeSetup,
  { header, packetFile }: OpenBatch<IngestionHeader>,
  signal?: AbortSignal,
): Promise<OpenedBatch> {
  const tally = new OpeningTally();
  const context = { bins: shareLayout(header.bins).bins, server, decryptors };
  try {
    return await openPackets(packetFile, { context, engine, tally }, signal);
  } catch (err) {
    countInvalid('ingestion', err, metrics);
    if (err instanceof PacketUndecryptable) {
      countPackets(metrics, 'intake', aggregationId, { results: { undecryptable: tally.packets } });
    }
    throw err;
  } finally {
    tally.countKeyUses(metrics, decryptors);
  }
}

function countTakenIn(
  aggregationId: string,
  { metrics, signingKey }: IntakeSetup,
  { packets, withoutMessage }: IntakeOutcome,
  payloadBytes: number,
): void {
  const labels = { aggregation_id: aggregationId };
  metrics.set('facilitator_intake_packets_per_ingestion_batch', labels, packets);
  metrics.increment('facilitator_intake_ingestion_packets_processed', labels, packets);
  metrics.increment('facilitator_intake_bytes_processed', labels, payloadBytes);
  metrics.increment('facilitator_key_uses_total', { use: 'sign', key_id: signingKey.identifier });
  const results = { taken_in: packets - withoutMessage, without_message: withoutMessage };
  countPackets(metrics, 'intake', aggregationId, { results });
}

/** Opens the ingestion batch that a task names and verifies its header, as intake and aggregate both must. */
export async function openIngestionBatch(
  { aggregationId, batch }: IntakeTask,
  setup: Pick<IntakeSetup, 'ingestorInput' | 'ingestorKeys' | 'permitMalformed' | 'metrics'>,
  log: Logger,
  signal?: AbortSignal,
): Promise<OpenBatch<IngestionHeader>> {
  const source = {
    storage: setup.ingestorInput,
    keys: ingestionKeys(aggregationId, batch),
    headerType: ingestionHeader,
    packetType: dataSharePacket,
  };
  const trust = trustIn(setup.ingestorKeys, setup.permitMalformed, log, 'ingestion');
  const ingestion = await openPartyBatch('ingestion', source, trust, setup.metrics, signal);
  requireBatchOfTask(ingestion.header, aggregationId, batch.id);
  return ingestion;
}

/** Trust in a party's keys; malformed batches are logged where they are permitted. */
export function trustIn(keys: KeySource, permitMalformed: boolean, log: Logger, party: Party): BatchTrust {
  if (!permitMalformed) return { keys };
  return {
    keys,
    onMalformed: (error) =>
      log.warn({ party, error_code: error.code, error: error.message }, 'malformed batch is read all the same'),
  };
}

/**
 * Writes our own record and the peer's batch. Readers go by the `.sig`, so each batch's comes last, and our own last
 * of all: where it is, the peer has the messages that it records. Without our own record everything is written again,
 * as we may have no right to see what the peer has.
 * @returns whether anything was written, which it is not if our own record is there already, as it would be written
 */
async function write(
  { aggregationId, batch }: IntakeTask,
  setup: IntakeSetup,
  header: IngestionHeader,
  opened: OpenedBatch,
  signal?: AbortSignal,
): Promise<boolean> {
  const { peerOutput, ownOutput, signingKey, server } = setup;
  const keys = validationKeys(aggregationId, batch, server);
  const packetFile = new ValidationFile(() => opened.told.blocks(), keys.packets);
  const content = {
    headerType: validationHeader,
    header: (digest: Buffer) => validationHeaderOf(header, digest),
  };
  const forPeer = encodeHeader(keys, content, packetFile.digest, signingKey);
  // Our own differs in the header's metadata alone.
  const ownContent = { ...content, headerMetadata: ownValidationMetadata(opened.packetFileDigest) };
  const own = encodeHeader(keys, ownContent, packetFile.digest, signingKey);
  const options = { signal };
  const identifier = signingKey.identifier;

  if (ownOutput) {
    const told = await OwnValidation.open(ownOutput, keys, signingKey, header, signal);
    if (told) {
      told.requireMadeFrom(opened.packetFileDigest);
      await requireSameMessages(told, opened, describeBatch(aggregationId, batch), signal);
      if (told.keyIdentifier === identifier && own.headerFile.equals(told.headerFile)) return false;
    }
    await ownOutput.put(keys.packets, packetFile.body(), options);
    await ownOutput.put(keys.header, own.headerFile, options);
    const sealed = sealedSumOf({ aggregationId, batch }, setup, opened, packetFile.digest);
    await ownOutput.put(sealedSumKey(aggregationId, batch, server), sealed, options);
  }
  if (!setup.singleObject) {
    await peerOutput.put(keys.packets, packetFile.body(), options);
    await peerOutput.put(keys.header, forPeer.headerFile, options);
  }
  const inline = setup.singleObject ? packetFile.bytes() : undefined;
  await peerOutput.put(keys.signature, encodeSignature(keys, forPeer, identifier, inline), options);
  await ownOutput?.put(keys.signature, encodeSignature(keys, own, identifier), options);
  return true;
}

/** What saves aggregate from opening every packet again. docs/protocol.md, "Sealed sum". */
function sealedSumOf(
  { aggregationId, batch }: IntakeTask,
  { server, decryptors }: IntakeSetup,
  { told, sum, payloadBytes, packetFileDigest }: OpenedBatch,
  validationDigest: Uint8Array,
): Buffer {
  const content = {
    bins: sum.length,
    packets: told.packets,
    sum,
    leftOut: told.leftOut,
    repeats: told.repeats,
    payloadBytes,
    validationDigest,
  };
  const binding = { aggregationId, batch, server, ingestionPacketFileDigest: packetFileDigest };
  // The keys were parsed from a list that has at least one.
  return sealSum(content, binding, decryptors[0]!);
}

/** The peer may have judged by what it was told; to tell it something else now would let the two sums part. */
async function requireSameMessages(
  record: OwnValidation,
  { told }: OpenedBatch,
  place: string,
  signal?: AbortSignal,
): Promise<void> {
  const differing = await told.firstDifference(record.packets(signal));
  if (differing) {
    throw new OwnValidationContradicted(
      `the peer was already told another verification message for packet ${formatUuid(differing)} of ${place}; were the packet decryption keys changed or reordered?`,
    );
  }
}
