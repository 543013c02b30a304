import type { Logger } from 'pino';
import {
  describeBatch,
  ingestionKeys,
  validationKeys,
  type BatchId,
  type ServerIndex,
} from '../common/domain/batch-path.ts';
import type { Storage } from '../common/ports/storage.ts';
import { breathe, PACKETS_PER_BREATH } from '../common/runtime/breathe.ts';
import { encodeBatch, encodeHeader, encodeSignature } from './batch/encode-batch.ts';
import { requireBatchOfTask, validationHeaderOf } from './batch/header.ts';
import { firstDifference, ownValidationMetadata, readOwnValidation } from './batch/own-validation.ts';
import type { BatchTrust, SignedBatch } from './batch/read-batch.ts';
import type { DataSharePacket, IngestionHeader } from './codec/records.ts';
import { dataSharePacket, ingestionHeader, validationHeader, validationPacket } from './codec/record-types.ts';
import type { PacketDecryptor } from './crypto/ecies.ts';
import type { KeySource } from './crypto/key-source.ts';
import type { SigningKey } from './crypto/signature.ts';
import { BatchEmpty, OwnValidationContradicted, PacketUndecryptable } from './errors.ts';
import { countTask } from './metrics/count-task.ts';
import type { Metrics } from './metrics/metrics.ts';
import { PacketOpener } from './packet-opener.ts';
import { countKeyUses, countPackets } from './packet-tally.ts';
import { shareLayout } from './prio/layout.ts';
import type { VerificationMessage } from './prio/verification.ts';
import { readPartyBatch, type Party } from './read-party-batch.ts';

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
  /** In the order in which they are tried. */
  readonly decryptors: readonly PacketDecryptor[];
  readonly signingKey: SigningKey;
  /** Take a batch in whose signature or digest does not verify, with a warning. */
  readonly permitMalformed: boolean;
  /** Write the peer's validation batch as one object. */
  readonly singleObject: boolean;
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
  const ingestion = await readIngestionBatch(task, setup, log, signal);
  const layout = shareLayout(ingestion.header.bins);
  if (ingestion.packetCount === 0) {
    throw new BatchEmpty(`the ingestion batch ${describeBatch(task.aggregationId, task.batch)} has no packets`);
  }
  const opener = new PacketOpener(layout.bins, setup.server, setup.decryptors);
  const messages = await openAll(task, setup, ingestion, opener, signal);
  const isWritten = await write(task, setup, ingestion, messages, signal);
  const outcome = {
    packets: ingestion.packetCount,
    withoutMessage: ingestion.packetCount - messages.length,
    isWritten,
  };
  log.info(
    { packets: outcome.packets, packets_without_message: outcome.withoutMessage },
    isWritten ? 'batch taken in' : 'batch was taken in before, nothing is written',
  );
  if (isWritten) countTakenIn(task.aggregationId, setup, outcome, opener.payloadBytes);
  return outcome;
}

async function openAll(
  { aggregationId }: IntakeTask,
  { metrics }: IntakeSetup,
  ingestion: SignedBatch<IngestionHeader, DataSharePacket>,
  opener: PacketOpener,
  signal?: AbortSignal,
): Promise<ToldMessage[]> {
  try {
    return await verificationMessages(ingestion.packets(), opener, signal);
  } catch (err) {
    if (err instanceof PacketUndecryptable) {
      const results = { undecryptable: ingestion.packetCount };
      countPackets(metrics, 'intake', aggregationId, { results });
    }
    throw err;
  } finally {
    countKeyUses(metrics, opener);
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

/** What the peer is told about one packet. */
export type ToldMessage = VerificationMessage & { readonly uuid: string };

/** Reads and verifies the ingestion batch that a task names, as intake and aggregate both must. */
export async function readIngestionBatch(
  { aggregationId, batch }: IntakeTask,
  setup: Pick<IntakeSetup, 'ingestorInput' | 'ingestorKeys' | 'permitMalformed' | 'metrics'>,
  log: Logger,
  signal?: AbortSignal,
): Promise<SignedBatch<IngestionHeader, DataSharePacket>> {
  const source = {
    storage: setup.ingestorInput,
    keys: ingestionKeys(aggregationId, batch),
    headerType: ingestionHeader,
    packetType: dataSharePacket,
  };
  const trust = trustIn(setup.ingestorKeys, setup.permitMalformed, log, 'ingestion');
  const ingestion = await readPartyBatch('ingestion', source, trust, setup.metrics, signal);
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
 * The messages in packet order. A UUID that comes again gets its first packet's message again: whichever of them a
 * peer takes, it judges our first packet, and that is the one that aggregate sums. Every packet is opened all the same,
 * since one that cannot be opened spoils the batch.
 */
export async function verificationMessages(
  packets: Iterable<DataSharePacket>,
  opener: PacketOpener,
  signal?: AbortSignal,
): Promise<ToldMessage[]> {
  const firstMessages = new Map<string, VerificationMessage | undefined>();
  const messages: ToldMessage[] = [];
  let position = 0;
  for (const packet of packets) {
    if (++position % PACKETS_PER_BREATH === 0) await breathe(signal);
    const opened = opener.open(packet);
    if (!firstMessages.has(packet.uuid)) firstMessages.set(packet.uuid, opened.message);
    const message = firstMessages.get(packet.uuid);
    if (message) messages.push({ uuid: packet.uuid, ...message });
  }
  return messages;
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
  ingestion: SignedBatch<IngestionHeader, DataSharePacket>,
  messages: readonly ToldMessage[],
  signal?: AbortSignal,
): Promise<boolean> {
  const { peerOutput, ownOutput, signingKey } = setup;
  const keys = validationKeys(aggregationId, batch, setup.server);
  const content = {
    headerType: validationHeader,
    header: (digest: Buffer) => validationHeaderOf(ingestion.header, digest),
    packetType: validationPacket,
    packets: messages,
  };
  const forPeer = encodeBatch(keys, content, signingKey);
  // Our own differs in the header's metadata alone.
  const ownContent = { ...content, headerMetadata: ownValidationMetadata(ingestion.packetFileDigest) };
  const own = encodeHeader(keys, ownContent, forPeer.packetFile, signingKey);
  const options = { signal };

  if (ownOutput) {
    const told = await readOwnValidation(ownOutput, keys, signingKey, ingestion, signal);
    if (told) {
      requireSameMessages(told.messages, messages, describeBatch(aggregationId, batch));
      if (told.keyIdentifier === signingKey.identifier && own.headerFile.equals(told.headerFile)) return false;
    }
    await ownOutput.put(keys.packets, own.packetFile, options);
    await ownOutput.put(keys.header, own.headerFile, options);
  }
  if (!setup.singleObject) {
    await peerOutput.put(keys.packets, forPeer.packetFile, options);
    await peerOutput.put(keys.header, forPeer.headerFile, options);
  }
  const identifier = signingKey.identifier;
  await peerOutput.put(keys.signature, encodeSignature(keys, forPeer, identifier, setup.singleObject), options);
  await ownOutput?.put(keys.signature, encodeSignature(keys, own, identifier), options);
  return true;
}

/** The peer may have judged by what it was told; to tell it something else now would let the two sums part. */
function requireSameMessages(
  told: ReadonlyMap<string, VerificationMessage>,
  messages: readonly ToldMessage[],
  place: string,
): void {
  const now = new Map(messages.map((message) => [message.uuid, message]));
  const differing = firstDifference(told, now);
  if (differing !== undefined) {
    throw new OwnValidationContradicted(
      `the peer was already told another verification message for packet ${differing} of ${place}; were the packet decryption keys changed or reordered?`,
    );
  }
}
