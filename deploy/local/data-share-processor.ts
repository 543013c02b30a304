import type { BatchId } from '../../common/domain/batch-path.ts';
import type { Interval } from '../../common/domain/interval.ts';
import { formatBatchTime } from '../../common/domain/batch-time.ts';
import type { Invocation } from './process.ts';
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

/** Takes one batch in, as one server. */
export function intakeInvocation(server: Server, aggregationId: string, batch: BatchId): Invocation {
  return facilitator(server, 'intake-batch', [
    ...taskArguments(server, aggregationId),
    ...['--batch-id', batch.id, '--date', formatBatchTime(batch.time)],
    ...intakeStorages(server),
  ]);
}

/** Aggregates one window, as one server. */
export function aggregateInvocation(
  server: Server,
  task: { readonly aggregationId: string; readonly window: Interval; readonly batches: readonly BatchId[] },
): Invocation {
  return facilitator(server, 'aggregate', [
    ...taskArguments(server, task.aggregationId),
    ...['--aggregation-start', formatBatchTime(task.window.begin)],
    ...['--aggregation-end', formatBatchTime(task.window.end)],
    ...batchArguments(task.batches),
    ...aggregateStorages(server),
  ]);
}

export type WorkerKind = 'intake-batch-worker' | 'aggregate-worker';

/** Does tasks of one kind, as one server, until it is told to end. */
export function workerInvocation(server: Server, kind: WorkerKind, visibilityTimeout: string): Invocation {
  const { intakeTasks, aggregateTasks, rejected } = server.places.queues[server.name];
  const isIntake = kind === 'intake-batch-worker';
  return facilitator(server, kind, [
    ...serverArguments(server),
    ...(isIntake ? intakeStorages(server) : aggregateStorages(server)),
    ...['--task-queue-kind', 'local', '--task-queue-name', isIntake ? intakeTasks : aggregateTasks],
    // Many workers share this machine.
    ...['--metrics-scrape-port', '0'],
    ...['--rejected-topic', rejected, '--visibility-timeout', visibilityTimeout],
  ]);
}

/** One run of the publisher, as one server. */
export function publisherInvocation(server: Server, windows: readonly string[]): Invocation {
  const { ingestion, ownValidation, peerValidation } = server.places.buckets[server.name];
  const { intakeTasks, aggregateTasks } = server.places.queues[server.name];
  return {
    program: 'workflow-manager',
    args: [
      ...[`--is-first=${isFirst(server.name)}`, '--ingestor-input', ingestion],
      ...['--own-validation-input', ownValidation, '--peer-validation-input', peerValidation],
      ...['--task-queue-kind', 'local'],
      ...['--intake-tasks-topic', intakeTasks, '--aggregate-tasks-topic', aggregateTasks],
      ...windows,
    ],
  };
}

function intakeStorages({ name, places: { buckets } }: Server): string[] {
  return ['--peer-output', buckets[otherServer(name)].peerValidation, '--own-output', buckets[name].ownValidation];
}

function aggregateStorages({ name, places: { buckets, portal }, keys }: Server): string[] {
  return [
    ...['--own-input', buckets[name].ownValidation, '--own-output', buckets[name].ownValidation],
    ...['--peer-input', buckets[name].peerValidation],
    ...['--peer-public-key', keys.peerPublicKey],
    ...['--peer-public-key-identifier', signingKeyIdentifier(otherServer(name))],
    ...['--portal-output', portal],
  ];
}

function taskArguments(server: Server, aggregationId: string): string[] {
  return ['--aggregation-id', aggregationId, ...serverArguments(server)];
}

function serverArguments(server: Server): string[] {
  return [
    ...['--instance-name', server.instanceName],
    ...['--is-first', String(isFirst(server.name))],
    ...['--ingestor-input', server.places.buckets[server.name].ingestion],
    ...['--ingestor-public-key', server.keys.ingestorPublicKey],
    ...['--ingestor-public-key-identifier', server.ingestorKeyIdentifier],
    ...['--batch-signing-private-key-identifier', signingKeyIdentifier(server.name)],
  ];
}

function facilitator({ keys }: Server, command: string, args: readonly string[]): Invocation {
  return {
    program: 'facilitator',
    args: [command, ...args],
    secrets: {
      FACILITATOR_BATCH_SIGNING_PRIVATE_KEY: keys.signingPkcs8,
      FACILITATOR_PACKET_DECRYPTION_KEYS: keys.packetDecryptionKeys,
    },
  };
}
