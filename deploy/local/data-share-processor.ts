import type { BatchId } from '../../common/domain/batch-path.ts';
import type { Interval } from '../../common/domain/interval.ts';
import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { runFacilitator, type ProcessSettings } from './facilitator-process.ts';
import { isFirst, otherServer, type Places, type ServerName } from './places.ts';
import { batchArguments } from './plan.ts';

/** Public keys of the others and private keys of one's own, as options or variables take them. */
export interface ServerKeys {
  readonly signingPkcs8: string;
  readonly packetDecryptionKeys: string;
  readonly ingestorPublicKey: string;
  readonly peerPublicKey: string;
}

export interface Server {
  readonly name: ServerName;
  readonly instanceName: string;
  readonly places: Places;
  readonly keys: ServerKeys;
  readonly ingestorKeyIdentifier: string;
}

export const signingKeyIdentifier = (server: ServerName): string => `${server}-signing-key`;

/** Takes one batch in, as one server, in a process. */
export async function runIntake(
  server: Server,
  aggregationId: string,
  batch: BatchId,
  settings: ProcessSettings,
): Promise<void> {
  const { buckets } = server.places;
  const args = [
    'intake-batch',
    ...commonArguments(server, aggregationId),
    ...['--batch-id', batch.id, '--date', formatBatchTime(batch.time)],
    ...['--peer-output', buckets[otherServer(server.name)].peerValidation],
    ...['--own-output', buckets[server.name].ownValidation],
  ];
  await runFacilitator(args, secrets(server), settings);
}

/** Aggregates one window, as one server, in a process. */
export async function runAggregate(
  server: Server,
  task: { readonly aggregationId: string; readonly window: Interval; readonly batches: readonly BatchId[] },
  settings: ProcessSettings,
): Promise<void> {
  const { buckets, portal } = server.places;
  const peer = otherServer(server.name);
  const args = [
    'aggregate',
    ...commonArguments(server, task.aggregationId),
    ...['--aggregation-start', formatBatchTime(task.window.begin)],
    ...['--aggregation-end', formatBatchTime(task.window.end)],
    ...batchArguments(task.batches),
    ...['--own-input', buckets[server.name].ownValidation],
    ...['--peer-input', buckets[server.name].peerValidation],
    ...['--peer-public-key', server.keys.peerPublicKey],
    ...['--peer-public-key-identifier', signingKeyIdentifier(peer)],
    ...['--portal-output', portal],
  ];
  await runFacilitator(args, secrets(server), settings);
}

function commonArguments(server: Server, aggregationId: string): string[] {
  return [
    ...['--aggregation-id', aggregationId],
    ...['--instance-name', server.instanceName],
    ...['--is-first', String(isFirst(server.name))],
    ...['--ingestor-input', server.places.buckets[server.name].ingestion],
    ...['--ingestor-public-key', server.keys.ingestorPublicKey],
    ...['--ingestor-public-key-identifier', server.ingestorKeyIdentifier],
    ...['--batch-signing-private-key-identifier', signingKeyIdentifier(server.name)],
  ];
}

function secrets({ keys }: Server): Record<string, string> {
  return {
    FACILITATOR_BATCH_SIGNING_PRIVATE_KEY: keys.signingPkcs8,
    FACILITATOR_PACKET_DECRYPTION_KEYS: keys.packetDecryptionKeys,
  };
}
