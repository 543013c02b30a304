import { setTimeout as delay } from 'node:timers/promises';
import { openStorage } from '../../common/backends/storage/open.ts';
import { formatDuration } from '../../common/domain/duration.ts';
import { HOUR_MS } from '../../common/domain/interval.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { publisherInvocation, workerInvocation, type Server } from '../../deploy/local/data-share-processor.ts';
import { otherServer, SERVERS, type Buckets, type Places, type ServerName } from '../../deploy/local/places.ts';
import type { Invocation } from '../../deploy/local/process.ts';
import { INGESTOR_KEY_IDENTIFIER } from '../../deploy/local/stages.ts';
import { GRACE_MS } from '../../deploy/local/windows.ts';
import { VERSITYGW_REGION } from '../services/versitygw.ts';
import { copyAll, KEYS, subjectsOf, type Input } from './input.ts';
import type { Kind } from './ledger.ts';
import type { ServiceUrls, StandIns } from './stand-ins.ts';
import { amazonTasks, googleTasks, type TaskServices, type TaskTopic } from './task-services.ts';

const LOOK_EVERY_MS = 50;
const PUBLISHED_LIMIT_MS = 30_000;

/** A message that a publisher has published. */
export interface Message {
  readonly server: ServerName;
  readonly kind: Kind;
  /** What the task is about: the id of a batch or of an aggregation. */
  readonly subject: string;
  readonly body: Buffer;
}

/** How workers open packets; what is left out is as they do it by themselves. */
export interface Opening {
  readonly evaluation?: 'webassembly' | 'typescript';
  readonly threads?: number;
}

/** The queues of one server. */
interface ServerTopics {
  /** What workers take tasks from. */
  readonly tasks: Readonly<Record<Kind, TaskTopic>>;
  /** Where publishers publish; not what the workers take from if the test is to pass messages on. */
  readonly published: Readonly<Record<Kind, TaskTopic>>;
  /** Where tasks end that nobody can do. */
  readonly rejected: TaskTopic;
  readonly dead: TaskTopic;
}

/** Buckets, topics and queues of both servers, empty but for the input: the PHA in Google's cloud, its peer in Amazon's. */
export class World {
  readonly places: Places;
  readonly input: Input;
  readonly #services: Readonly<Record<ServerName, TaskServices>>;
  readonly #topics: Readonly<Record<ServerName, ServerTopics>>;
  readonly #queuesUrl: string;
  readonly #opening: Opening | undefined;

  private constructor(
    { urls }: StandIns,
    input: Input,
    services: Readonly<Record<ServerName, TaskServices>>,
    topics: Readonly<Record<ServerName, ServerTopics>>,
    places: Omit<Places, 'queues'>,
    opening: Opening | undefined,
  ) {
    const queuesOf = ({ tasks, rejected }: ServerTopics): Places['queues'][ServerName] => ({
      intakeTasks: tasks.intake.queue,
      aggregateTasks: tasks.aggregate.queue,
      rejected: rejected.topic,
    });
    this.input = input;
    this.places = { ...places, queues: { pha: queuesOf(topics.pha), facilitator: queuesOf(topics.facilitator) } };
    this.#services = services;
    this.#topics = topics;
    this.#queuesUrl = urls.moto;
    this.#opening = opening;
  }

  /**
   * @param name one word; in names of buckets and queues
   * @param isRelayed whether messages reach the workers by `pass` only
   */
  static async create(
    standIns: StandIns,
    input: Input,
    name: string,
    isRelayed: boolean,
    opening?: Opening,
  ): Promise<World> {
    const buckets = { pha: bucketsIn('gs://', name, 'pha'), facilitator: bucketsIn(S3, name, 'facilitator') };
    const portal = `gs://portal-${name}`;
    for (const location of [...SERVERS.flatMap((server) => Object.values<string>({ ...buckets[server] })), portal]) {
      const bucket = location.slice(location.lastIndexOf('/') + 1);
      await (location.startsWith(S3) ? standIns.createS3Bucket(bucket) : standIns.createGcsBucket(bucket));
    }
    for (const server of SERVERS) await copyAll(input.ingestion[server], openStorage(buckets[server].ingestion));
    const services = { pha: googleTasks(standIns.urls.pubsub), facilitator: amazonTasks() };
    const topics = {
      pha: await createTopics(services.pha, `pha-${name}`, isRelayed),
      facilitator: await createTopics(services.facilitator, `facilitator-${name}`, isRelayed),
    };
    return new World(standIns, input, services, topics, { buckets, portal }, opening);
  }

  storage(server: ServerName, bucket: keyof Buckets): Storage {
    return openStorage(this.places.buckets[server][bucket]);
  }

  /** @param urls where it finds services */
  worker(
    { server, kind }: { readonly server: ServerName; readonly kind: Kind },
    ackDeadlineMs: number,
    urls: ServiceUrls,
  ): Invocation {
    const command = kind === 'intake' ? 'intake-batch-worker' : 'aggregate-worker';
    const { workerKind, workerOptions } = this.#services[server];
    const invocation = workerInvocation(serverOf(server, this.places), command, formatDuration(ackDeadlineMs));
    const { args, ...rest } = withTaskQueue(invocation, workerKind, workerOptions);
    // The URL of an SQS queue says where its service is, whatever the environment does.
    const placed = args.map((arg) => arg.replace(this.#queuesUrl, urls.moto));
    const opening = Object.entries(this.#opening ?? {}).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return { ...rest, args: [...placed, ...opening] };
  }

  publisher(name: ServerName, asOf: Date): Invocation {
    const { begin, end } = this.input.window;
    const period = formatDuration(end.getTime() - begin.getTime());
    const { published } = this.#topics[name];
    const topics = { intakeTasks: published.intake.topic, aggregateTasks: published.aggregate.topic };
    const queues = { ...this.places.queues, [name]: { ...this.places.queues[name], ...topics } };
    const invocation = publisherInvocation({ ...serverOf(name, this.places), places: { ...this.places, queues } }, [
      ...['--as-of', asOf.toISOString(), '--intake-max-age', formatDuration(24 * HOUR_MS)],
      ...['--aggregation-period', period, '--grace-period', formatDuration(GRACE_MS)],
    ]);
    const { publisherKind, publisherOptions } = this.#services[name];
    return withTaskQueue(invocation, publisherKind, publisherOptions);
  }

  /** In a relayed world: takes what the publishers have published. @throws Error unless that is a message a task */
  async published(kind: Kind): Promise<Message[]> {
    const messages: Message[] = [];
    const expected = subjectsOf(this.input, kind).length;
    for (const server of SERVERS) {
      const published = this.#topics[server].published[kind];
      const bodies: Buffer[] = [];
      const deadline = Date.now() + PUBLISHED_LIMIT_MS;
      while (bodies.length < expected) {
        bodies.push(...(await this.#services[server].drain(published)));
        if (Date.now() > deadline) throw new Error(`${bodies.length} of ${expected} messages in ${published.queue}`);
        await delay(LOOK_EVERY_MS);
      }
      messages.push(...bodies.map((body) => ({ server, kind, subject: subjectOf(body, kind), body })));
    }
    return messages;
  }

  async pass({ server, kind, body }: Message): Promise<void> {
    await this.send(server, kind, body);
  }

  async send(server: ServerName, kind: Kind, body: Buffer): Promise<void> {
    await this.#services[server].send(this.#topics[server].tasks[kind], body);
  }

  /** Messages that nobody takes any more, of both servers. */
  async lostMessages(): Promise<string[]> {
    return this.#drain(({ dead, rejected }) => [dead, rejected]);
  }

  /** Messages that are still in the queues, of both servers, after all workers have ended. */
  async leftMessages(): Promise<string[]> {
    const queues = ({ tasks }: ServerTopics): TaskTopic[] => [tasks.intake, tasks.aggregate];
    const held: string[] = [];
    for (const server of SERVERS) {
      for (const topic of queues(this.#topics[server])) {
        const count = await this.#services[server].held(topic);
        if (count > 0) held.push(`${topic.queue}: ${count} messages are held`);
      }
    }
    return [...held, ...(await this.#drain(queues))];
  }

  async #drain(which: (topics: ServerTopics) => TaskTopic[]): Promise<string[]> {
    const messages: string[] = [];
    for (const server of SERVERS) {
      for (const topic of which(this.#topics[server])) {
        const bodies = await this.#services[server].drain(topic);
        messages.push(...bodies.map((body) => `${topic.queue}: ${body.toString()}`));
      }
    }
    return messages;
  }
}

const S3 = `s3://${VERSITYGW_REGION}/`;

function bucketsIn(base: string, name: string, server: ServerName): Buckets {
  const bucket = (role: string): string => `${base}${server}-${role}-${name}`;
  return { ingestion: bucket('ingestion'), ownValidation: bucket('own'), peerValidation: bucket('peer') };
}

async function createTopics(services: TaskServices, prefix: string, isRelayed: boolean): Promise<ServerTopics> {
  const deadName = `${prefix}-dead`;
  const dead = await services.create(deadName);
  const tasks = {
    intake: await services.create(`${prefix}-intake`, deadName),
    aggregate: await services.create(`${prefix}-aggregate`, deadName),
  };
  const published = isRelayed
    ? {
        intake: await services.create(`${prefix}-intake-published`),
        aggregate: await services.create(`${prefix}-aggregate-published`),
      }
    : tasks;
  return { tasks, published, rejected: await services.create(`${prefix}-rejected`), dead };
}

/** As workers call it, too. */
function subjectOf(body: Buffer, kind: Kind): string {
  // docs/protocol.md, "Tasks".
  const task = JSON.parse(body.toString()) as { readonly 'batch-id'?: string; readonly 'aggregation-id': string };
  return (kind === 'intake' ? task['batch-id'] : task['aggregation-id']) ?? 'unknown';
}

/** A server as its programs are told of it. */
export function serverOf(name: ServerName, places: Places): Server {
  return {
    name,
    instanceName: 'e2e',
    places,
    keys: {
      signingPkcs8: KEYS.signing[name].pkcs8,
      packetDecryptionKeys: KEYS.packet[name].private,
      ingestorPublicKey: KEYS.ingestor.spki,
      peerPublicKey: KEYS.signing[otherServer(name)].spki,
    },
    ingestorKeyIdentifier: INGESTOR_KEY_IDENTIFIER,
  };
}

/** The invocation with another kind of task queue than the local one. */
export function withTaskQueue(invocation: Invocation, kind: string, options: readonly string[]): Invocation {
  const at = invocation.args.indexOf('--task-queue-kind');
  return { ...invocation, args: [...invocation.args.with(at + 1, kind), ...options] };
}
