import { openStorage } from '../../common/backends/storage/open.ts';
import { formatDuration } from '../../common/domain/duration.ts';
import type { Storage } from '../../common/ports/storage.ts';
import {
  publisherInvocation,
  workerInvocation,
  type Server,
  type WorkerKind,
} from '../../deploy/local/data-share-processor.ts';
import { SERVERS, type Buckets, type Places, type ServerName } from '../../deploy/local/places.ts';
import type { Invocation } from '../../deploy/local/process.ts';
import { INGESTOR_KEY_IDENTIFIER } from '../../deploy/local/stages.ts';
import { GRACE_MS, PERIOD_MS } from '../../deploy/local/windows.ts';
import { VERSITYGW_REGION } from '../services/versitygw.ts';
import { copyAll, type Input } from './input.ts';
import type { StandIns } from './stand-ins.ts';
import { amazonTasks, googleTasks, type TaskServices, type TaskTopic } from './task-services.ts';

type TopicRole = 'intakeTasks' | 'aggregateTasks' | 'rejected' | 'dead';

interface ServerWorld {
  readonly name: ServerName;
  readonly tasks: TaskServices;
  /** What workers take tasks from, and where tasks end that nobody can do. */
  readonly topics: Readonly<Record<TopicRole, TaskTopic>>;
  /** Where the publisher publishes; not what the workers take from if the test is to pass messages on. */
  readonly published: Readonly<Record<'intakeTasks' | 'aggregateTasks', TaskTopic>>;
  /** What was passed on. */
  readonly bodies: Readonly<Record<'intakeTasks' | 'aggregateTasks', Buffer[]>>;
}

/** Buckets, topics and queues of both servers, empty but for the input: the PHA in Google's cloud, its peer in Amazon's. */
export class World {
  readonly places: Places;
  readonly servers: readonly ServerWorld[];
  readonly input: Input;

  private constructor(places: Places, servers: readonly ServerWorld[], input: Input) {
    this.places = places;
    this.servers = servers;
    this.input = input;
  }

  /** @param isRelayed whether messages reach the workers by `relay` only */
  static async create(standIns: StandIns, input: Input, name: string, isRelayed: boolean): Promise<World> {
    const buckets = { pha: bucketsIn('gs://', name, 'pha'), facilitator: bucketsIn(S3, name, 'facilitator') };
    const portal = `gs://portal-${name}`;
    for (const location of [...SERVERS.flatMap((server) => Object.values<string>({ ...buckets[server] })), portal]) {
      const bucket = location.slice(location.lastIndexOf('/') + 1);
      await (location.startsWith(S3) ? standIns.createS3Bucket(bucket) : standIns.createGcsBucket(bucket));
    }
    const servers: ServerWorld[] = [];
    for (const server of SERVERS) {
      await copyAll(input.ingestion[server], openStorage(buckets[server].ingestion));
      servers.push(
        await serverWorld(
          server,
          server === 'pha' ? googleTasks(standIns.urls.pubsub) : amazonTasks(),
          name,
          isRelayed,
        ),
      );
    }
    const queuesOf = ({ topics }: ServerWorld): Places['queues'][ServerName] => ({
      intakeTasks: topics.intakeTasks.queue,
      aggregateTasks: topics.aggregateTasks.queue,
      rejected: topics.rejected.topic,
    });
    // In the order of SERVERS.
    const [pha, facilitator] = servers as [ServerWorld, ServerWorld];
    const queues = { pha: queuesOf(pha), facilitator: queuesOf(facilitator) };
    return new World({ buckets, queues, portal }, servers, input);
  }

  storage(server: ServerName, bucket: keyof Buckets): Storage {
    return openStorage(this.places.buckets[server][bucket]);
  }

  worker(server: ServerWorld, kind: WorkerKind, ackDeadlineMs: number): Invocation {
    const invocation = workerInvocation(this.#server(server), kind, formatDuration(ackDeadlineMs));
    return withOptions(invocation, server.tasks.workerKind, server.tasks.workerOptions);
  }

  publisher(server: ServerWorld, asOf: Date): Invocation {
    const { intakeTasks, aggregateTasks } = server.published;
    const topics = { intakeTasks: intakeTasks.topic, aggregateTasks: aggregateTasks.topic };
    const queues = { ...this.places.queues, [server.name]: { ...this.places.queues[server.name], ...topics } };
    const invocation = publisherInvocation({ ...this.#server(server), places: { ...this.places, queues } }, [
      ...['--as-of', asOf.toISOString(), '--intake-max-age', formatDuration(2 * PERIOD_MS)],
      ...['--aggregation-period', formatDuration(PERIOD_MS), '--grace-period', formatDuration(GRACE_MS)],
    ]);
    return withOptions(invocation, server.tasks.publisherKind, server.tasks.publisherOptions);
  }

  /** Passes on what was published, so many times each. */
  async relay(kind: 'intakeTasks' | 'aggregateTasks', times: number): Promise<void> {
    for (const server of this.servers) {
      server.bodies[kind].push(...(await server.tasks.drain(server.published[kind])));
    }
    for (let n = 0; n < times; n++) await this.sendAgain(kind);
  }

  /** All that `relay` has passed on. */
  async sendAgain(kind: 'intakeTasks' | 'aggregateTasks'): Promise<void> {
    for (const { tasks, topics, bodies } of this.servers) {
      for (const body of bodies[kind]) await tasks.send(topics[kind], body);
    }
  }

  /** Messages that nobody takes any more. */
  async lostMessages(): Promise<string[]> {
    const lost: string[] = [];
    for (const { tasks, topics } of this.servers) {
      for (const topic of [topics.dead, topics.rejected]) {
        lost.push(...(await tasks.drain(topic)).map((body) => `${topic.queue}: ${body.toString()}`));
      }
    }
    return lost;
  }

  #server({ name }: ServerWorld): Server {
    const { keys } = this.input;
    return {
      name,
      instanceName: 'e2e',
      places: this.places,
      keys: {
        signingPkcs8: keys.signing[name].pkcs8,
        packetDecryptionKeys: keys.packet[name].private,
        ingestorPublicKey: keys.ingestor.spki,
        peerPublicKey: keys.signing[name === 'pha' ? 'facilitator' : 'pha'].spki,
      },
      ingestorKeyIdentifier: INGESTOR_KEY_IDENTIFIER,
    };
  }
}

const S3 = `s3://${VERSITYGW_REGION}/`;

function bucketsIn(base: string, name: string, server: ServerName): Buckets {
  const bucket = (role: string): string => `${base}${server}-${role}-${name}`;
  return { ingestion: bucket('ingestion'), ownValidation: bucket('own'), peerValidation: bucket('peer') };
}

async function serverWorld(
  name: ServerName,
  tasks: TaskServices,
  world: string,
  isRelayed: boolean,
): Promise<ServerWorld> {
  const nameOf = (role: string): string => `${name}-${role}-${world}`;
  const dead = await tasks.create(nameOf('dead'));
  const topics = {
    dead,
    rejected: await tasks.create(nameOf('rejected')),
    intakeTasks: await tasks.create(nameOf('intake'), nameOf('dead')),
    aggregateTasks: await tasks.create(nameOf('aggregate'), nameOf('dead')),
  };
  const published = isRelayed
    ? {
        intakeTasks: await tasks.create(nameOf('intake-published')),
        aggregateTasks: await tasks.create(nameOf('aggregate-published')),
      }
    : topics;
  return { name, tasks, topics, published, bodies: { intakeTasks: [], aggregateTasks: [] } };
}

/** The invocation with another kind of task queue than the local one. */
function withOptions(invocation: Invocation, kind: string, options: readonly string[]): Invocation {
  const at = invocation.args.indexOf('--task-queue-kind');
  return { ...invocation, args: [...invocation.args.with(at + 1, kind), ...options] };
}
