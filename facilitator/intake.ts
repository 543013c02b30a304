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
import { readBatch, type SignedBatch } from './batch/read-batch.ts';
import type { DataSharePacket, IngestionHeader } from './codec/records.ts';
import { dataSharePacket, ingestionHeader, validationHeader, validationPacket } from './codec/record-types.ts';
import type { PacketDecryptor } from './crypto/ecies.ts';
import type { SigningKey, VerificationKeys } from './crypto/signature.ts';
import { BatchEmpty, OwnValidationContradicted } from './errors.ts';
import { PacketOpener } from './packet-opener.ts';
import { shareLayout } from './prio/layout.ts';
import type { VerificationMessage } from './prio/verification.ts';

export interface IntakeTask {
  readonly aggregationId: string;
  readonly batch: BatchId;
}

export interface IntakeSetup {
  readonly server: ServerIndex;
  readonly ingestorInput: Storage;
  readonly ingestorKeys: VerificationKeys;
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
}

export interface IntakeOutcome {
  readonly packets: number;
  /** Packets that got no verification message because their evaluation point is a root of unity. */
  readonly withoutMessage: number;
}

/**
 * Takes one ingestion batch in: verifies it, opens every packet and tells the peer our verification messages.
 * Nothing is written unless every packet is in order. docs/protocol.md, "intake-batch".
 */
export async function intakeBatch(task: IntakeTask, setup: IntakeSetup, signal?: AbortSignal): Promise<IntakeOutcome> {
  const log = setup.log.child({ aggregation_id: task.aggregationId, batch_id: task.batch.id });
  const ingestion = await readIngestionBatch(task, setup, log, signal);
  const layout = shareLayout(ingestion.header.bins);
  if (ingestion.packetCount === 0) {
    throw new BatchEmpty(`the ingestion batch ${describeBatch(task.aggregationId, task.batch)} has no packets`);
  }
  const opener = new PacketOpener(layout.bins, setup.server, setup.decryptors);
  const messages = await verificationMessages(ingestion.packets(), opener, signal);
  await write(task, setup, ingestion, messages, signal);
  const outcome = { packets: ingestion.packetCount, withoutMessage: ingestion.packetCount - messages.length };
  log.info({ packets: outcome.packets, packets_without_message: outcome.withoutMessage }, 'batch taken in');
  return outcome;
}

/** What the peer is told about one packet. */
export type ToldMessage = VerificationMessage & { readonly uuid: string };

/** Reads and verifies the ingestion batch that a task names, as intake and aggregate both must. */
export async function readIngestionBatch(
  { aggregationId, batch }: IntakeTask,
  setup: Pick<IntakeSetup, 'ingestorInput' | 'ingestorKeys' | 'permitMalformed'>,
  log: Logger,
  signal?: AbortSignal,
): Promise<SignedBatch<IngestionHeader, DataSharePacket>> {
  const source = {
    storage: setup.ingestorInput,
    keys: ingestionKeys(aggregationId, batch),
    headerType: ingestionHeader,
    packetType: dataSharePacket,
  };
  const ingestion = await readBatch(
    source,
    trustIn(setup.ingestorKeys, setup.permitMalformed, log, 'ingestion'),
    signal,
  );
  requireBatchOfTask(ingestion.header, aggregationId, batch.id);
  return ingestion;
}

/** Trust in a party's keys; malformed batches are logged where they are permitted. */
export function trustIn(
  keys: VerificationKeys,
  permitMalformed: boolean,
  log: Logger,
  party: 'ingestion' | 'peer',
): Parameters<typeof readBatch>[1] {
  const keyOf = (identifier: string): ReturnType<VerificationKeys['get']> => keys.get(identifier);
  if (!permitMalformed) return { keyOf };
  return {
    keyOf,
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
 * of all: where it is, the peer has the messages that it records.
 */
async function write(
  { aggregationId, batch }: IntakeTask,
  setup: IntakeSetup,
  ingestion: SignedBatch<IngestionHeader, DataSharePacket>,
  messages: readonly ToldMessage[],
  signal?: AbortSignal,
): Promise<void> {
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
    if (told) requireSameMessages(told.messages, messages, describeBatch(aggregationId, batch));
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
