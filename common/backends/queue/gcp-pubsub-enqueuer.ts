import type { PublishOptions, PubSub, Topic } from '@google-cloud/pubsub';
import type { Enqueuer } from '../../ports/queue.ts';
import {
  GOOGLE,
  GRPC,
  grpcCode,
  PubSubResource,
  type PubSubEnvironment,
  type PubSubKind,
} from './gcp-pubsub-resource.ts';
import { InFlight } from './in-flight.ts';
import { messageBytes } from './message-bytes.ts';
import type { EnqueuerSettings } from './settings.ts';

/** Of a message's data. */
const MAX_BYTES = 10_000_000;
/** The library sends a batch when one of these is reached; a larger message goes alone. */
const BATCHING = { maxMessages: 100, maxBytes: 1024 * 1024, maxMilliseconds: 5 };
const ACK_DEADLINE_SECONDS = 600;

const TOPIC: PubSubKind = {
  collection: 'topics',
  noun: 'topic',
  example: 'intake-tasks',
  permission: 'pubsub.topics.publish',
  needs: 'pubsub.topics.publish on it is needed, as in the role roles/pubsub.publisher',
  missing: 'it does not exist; create it with Terraform or --gcp-pubsub-create-topics',
};
const CREATION_NEEDS = 'roles/pubsub.editor on its project is needed';

/**
 * A topic of Google Cloud Pub/Sub, by its id in the project of the settings, or as `projects/PROJECT/topics/ID`.
 *
 * Google's library reads `PUBSUB_EMULATOR_HOST` by itself, but `check` does not: whoever opens topics puts the variable
 * into the settings.
 * @param environment for tests
 * @throws UsageError for a name that no topic can have, or without a project; ConfigurationInvalid for two projects
 */
export function openPubSubEnqueuer(
  topic: string,
  settings: EnqueuerSettings,
  environment: PubSubEnvironment = GOOGLE,
): PubSubEnqueuer {
  return new PubSubEnqueuer(new PubSubResource(TOPIC, topic, settings, environment));
}

/**
 * Publishes to Pub/Sub over gRPC, in batches of Google's library. `check` uses REST, since that library takes a while
 * to load, which a run with nothing to publish need not wait for. A message that was accepted before an abort is sent
 * all the same, so that its fate is known.
 */
export class PubSubEnqueuer implements Enqueuer {
  readonly url: string;
  readonly #resource: PubSubResource;
  readonly #inFlight = new InFlight();
  #opened: Promise<Opened> | undefined;

  constructor(resource: PubSubResource) {
    this.url = resource.url;
    this.#resource = resource;
  }

  /** As the port has it, and takes bytes as they are, too. */
  async publish(body: string | Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const data = messageBytes(body, MAX_BYTES, this.url);
    await this.#inFlight.run(async () => {
      try {
        const { topic } = await this.#open();
        await topic.publishMessage({ data });
      } catch (cause) {
        throw this.#resource.failure('publish to', cause);
      }
    });
  }

  check(signal?: AbortSignal): Promise<void> {
    return this.#resource.check(signal);
  }

  /** The subscription has an ack deadline of 600 s and does not expire. Either may be there already. */
  async create(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.#inFlight.run(async () => {
      try {
        const { pubsub, topic, gaxOpts } = await this.#open();
        await unlessThere(pubsub.createTopic(this.url, gaxOpts));
        signal?.throwIfAborted();
        const { project, id } = this.#resource;
        const subscription = { ackDeadlineSeconds: ACK_DEADLINE_SECONDS, expirationPolicy: {}, gaxOpts };
        await unlessThere(topic.createSubscription(`projects/${project}/subscriptions/${id}`, subscription));
      } catch (cause) {
        signal?.throwIfAborted();
        throw this.#resource.failure('create', cause, CREATION_NEEDS);
      }
    });
  }

  /** Sends what was accepted, and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    // What cannot be sent is heard of by whoever published it.
    await opened?.topic.flush().catch(() => {});
    await this.#inFlight.settled();
    await opened?.pubsub.close();
  }

  #open(): Promise<Opened> {
    if (this.#opened) return this.#opened;
    const opened = this.#load();
    this.#opened = opened;
    // Credentials that cannot be had now may be there later.
    opened.catch(() => (this.#opened = undefined));
    return opened;
  }

  async #load(): Promise<Opened> {
    const pubsub = await this.#resource.connect();
    const gaxOpts = this.#resource.callOptions();
    return { pubsub, topic: pubsub.topic(this.url, { batching: BATCHING, gaxOpts }), gaxOpts };
  }
}

interface Opened {
  readonly pubsub: PubSub;
  readonly topic: Topic;
  readonly gaxOpts: NonNullable<PublishOptions['gaxOpts']>;
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (err) {
    if (grpcCode(err) !== GRPC.alreadyExists) throw err;
  }
}
