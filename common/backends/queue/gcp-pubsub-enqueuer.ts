import type { PublishOptions, PubSub, Topic } from '@google-cloud/pubsub';
import type { AuthClient } from 'google-auth-library';
import { ConfigurationInvalid, DspError, PermissionDenied, QueueUnavailable, UsageError } from '../../errors.ts';
import type { Enqueuer } from '../../ports/queue.ts';
import { ambientFailure, credentialFailure } from '../credentials/failures.ts';
import { InFlight } from './in-flight.ts';
import { messageBytes } from './message-bytes.ts';
import type { EnqueuerSettings } from './settings.ts';

/** Of a message's data. */
const MAX_BYTES = 10_000_000;
/** The library sends a batch when one of these is reached; a larger message goes alone. */
const BATCHING = { maxMessages: 100, maxBytes: 1024 * 1024, maxMilliseconds: 5 };
const ACK_DEADLINE_SECONDS = 600;

/** Of `check`: about 20 s in all for a service that does not answer. */
const REST_TIMEOUT_MS = 5_000;
const REST_RETRIES = 3;

const TOPIC_ID = /^(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}$/;
const PROJECT_ID = /^[a-z0-9][a-z0-9.:-]*$/;
const TOPIC_NAME = /^projects\/([^/]+)\/topics\/([^/]+)$/;

const SCOPE = 'https://www.googleapis.com/auth/pubsub';
const PERMISSION = 'pubsub.topics.publish';
const PUBLISHING_NEEDS = `${PERMISSION} on it is needed, as in the role roles/pubsub.publisher`;
const CREATION_NEEDS = 'roles/pubsub.editor on its project is needed';
const MISSING = 'it does not exist; create it with Terraform or --gcp-pubsub-create-topics';
const UNFIT = 'Pub/Sub says that it cannot work';
const CREDENTIALS_ADVICE =
  'use Workload Identity, a file that GOOGLE_APPLICATION_CREDENTIALS names, or gcloud auth application-default login';

/** Status codes of gRPC, https://grpc.io/docs/guides/status-codes/. */
const GRPC = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  unauthenticated: 16,
} as const;

/** What tests put in the place of Google's. Times are milliseconds. */
export interface PubSubEnvironment {
  readonly restUrl: string;
  readonly credentials: (projectId: string) => Promise<AuthClient>;
  /** Of one attempt over gRPC. */
  readonly attemptTimeoutMs: number;
  /** Of all attempts. */
  readonly totalTimeoutMs: number;
  /** Between two attempts over REST. */
  readonly maxRetryDelayMs: number;
}

const GOOGLE: PubSubEnvironment = {
  restUrl: 'https://pubsub.googleapis.com',
  credentials: ambientCredentials,
  attemptTimeoutMs: 20_000,
  totalTimeoutMs: 60_000,
  maxRetryDelayMs: 2_000,
};

/**
 * A topic of Google Cloud Pub/Sub, by its id in the project of the settings, or as `projects/PROJECT/topics/ID`.
 *
 * Google's library reads `PUBSUB_EMULATOR_HOST` by itself, but `check` does not: whoever opens topics puts the variable
 * into the settings.
 * @param environment for tests
 * @throws UsageError for a name that no topic can have, or without a project; ConfigurationInvalid for two projects
 */
export function openPubSubEnqueuer(topic: string, settings: EnqueuerSettings, environment = GOOGLE): Enqueuer {
  const { gcpProjectId, pubsubEmulatorHost } = settings;
  const [, ownProject, id = topic] = TOPIC_NAME.exec(topic) ?? [];
  const project = ownProject ?? gcpProjectId;
  if (!TOPIC_ID.test(id) || (ownProject !== undefined && !PROJECT_ID.test(ownProject))) {
    throw new UsageError(
      `${JSON.stringify(topic)} is no Pub/Sub topic: give its id, like intake-tasks (3 to 255 characters, the first a letter, not beginning with goog), or projects/PROJECT/topics/ID`,
    );
  }
  if (!project) throw new UsageError('topics of kind gcp-pubsub need --gcp-project-id');
  if (!PROJECT_ID.test(project)) {
    throw new UsageError(`--gcp-project-id is ${JSON.stringify(project)}, but should be the id of a project`);
  }
  if (gcpProjectId && gcpProjectId !== project) {
    throw new ConfigurationInvalid(`${topic} is not in the project ${gcpProjectId}, which --gcp-project-id gives`);
  }
  return new PubSubEnqueuer(project, id, pubsubEmulatorHost || undefined, environment);
}

/**
 * Publishes to Pub/Sub over gRPC, in batches of Google's library. `check` uses REST, since that library takes a while
 * to load, which a run with nothing to publish need not wait for. A message that was accepted before an abort is sent
 * all the same, so that its fate is known.
 */
class PubSubEnqueuer implements Enqueuer {
  readonly url: string;
  readonly #project: string;
  readonly #id: string;
  readonly #emulatorHost: string | undefined;
  readonly #environment: PubSubEnvironment;
  readonly #inFlight = new InFlight();
  #opened: Promise<Opened> | undefined;

  constructor(project: string, id: string, emulatorHost: string | undefined, environment: PubSubEnvironment) {
    this.url = `projects/${project}/topics/${id}`;
    this.#project = project;
    this.#id = id;
    this.#emulatorHost = emulatorHost;
    this.#environment = environment;
  }

  async publish(body: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const data = messageBytes(body, MAX_BYTES, this.url);
    await this.#inFlight.run(async () => {
      try {
        const { topic } = await this.#open();
        await topic.publishMessage({ data });
      } catch (cause) {
        throw this.#grpcError('publish to', PUBLISHING_NEEDS, cause);
      }
    });
  }

  async check(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const ask = await this.#rest(signal);
    if (this.#emulatorHost === undefined) {
      // No permissions are granted on a topic that does not exist.
      const { data } = await ask('POST', ':testIamPermissions', { permissions: [PERMISSION] });
      if (data.permissions?.includes(PERMISSION)) return;
    }
    const { status, data } = await ask('GET', '');
    if (status === 200 && this.#emulatorHost !== undefined) return;
    const cause = data.error && new Error(data.error.message);
    const failure = `cannot use ${this.url}`;
    switch (status) {
      case 200:
      case 403:
        throw new PermissionDenied(`${failure}: ${PUBLISHING_NEEDS}`, { cause });
      case 401:
        throw new PermissionDenied(`${failure}: the Google credentials are refused; ${CREDENTIALS_ADVICE}`, { cause });
      case 404:
        throw new ConfigurationInvalid(`${failure}: ${MISSING}`, { cause });
      default:
        throw new ConfigurationInvalid(`${failure}: ${UNFIT}`, { cause });
    }
  }

  /** The subscription has an ack deadline of 600 s and does not expire. Either may be there already. */
  async create(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.#inFlight.run(async () => {
      try {
        const { pubsub, topic, gaxOpts } = await this.#open();
        await unlessThere(pubsub.createTopic(this.url, gaxOpts));
        signal?.throwIfAborted();
        const subscription = { ackDeadlineSeconds: ACK_DEADLINE_SECONDS, expirationPolicy: {}, gaxOpts };
        await unlessThere(
          topic.createSubscription(`projects/${this.#project}/subscriptions/${this.#id}`, subscription),
        );
      } catch (cause) {
        signal?.throwIfAborted();
        throw this.#grpcError('create', CREATION_NEEDS, cause);
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
    const { PubSub } = await import('@google-cloud/pubsub');
    const { attemptTimeoutMs, totalTimeoutMs } = this.#environment;
    const gaxOpts = {
      retry: {
        backoffSettings: {
          initialRetryDelayMillis: 100,
          retryDelayMultiplier: 2,
          maxRetryDelayMillis: 10_000,
          initialRpcTimeoutMillis: attemptTimeoutMs,
          rpcTimeoutMultiplier: 1,
          maxRpcTimeoutMillis: attemptTimeoutMs,
          totalTimeoutMillis: totalTimeoutMs,
        },
      },
    };
    const pubsub = new PubSub({
      projectId: this.#project,
      // With the universe given, the library asks no metadata server for it.
      ...(this.#emulatorHost === undefined
        ? {}
        : { apiEndpoint: this.#emulatorHost, emulatorMode: true, universeDomain: 'googleapis.com' }),
    });
    // A client of the library that finds none throws where nobody can catch it, which ends the process.
    if (this.#emulatorHost === undefined) await pubsub.auth.getClient();
    return { pubsub, topic: pubsub.topic(this.url, { batching: BATCHING, gaxOpts }), gaxOpts };
  }

  /** @returns a function for requests about the topic, which gives all answers but passing failures */
  async #rest(signal: AbortSignal | undefined): Promise<Ask> {
    const { restUrl, maxRetryDelayMs } = this.#environment;
    const base = this.#emulatorHost === undefined ? restUrl : `http://${this.#emulatorHost}`;
    const url = `${base}/v1/projects/${this.#project}/topics/${encodeURIComponent(this.#id)}`;
    const client = await this.#authorized(url);
    signal?.throwIfAborted();
    return async (method, verb, data) => {
      try {
        return await client.request<TopicAnswer>({
          url: `${url}${verb}`,
          method,
          ...(data === undefined ? {} : { data }),
          ...(signal ? { signal } : {}),
          timeout: REST_TIMEOUT_MS,
          validateStatus: (status) => status < 500 && status !== 408 && status !== 429,
          retryConfig: {
            retry: REST_RETRIES,
            noResponseRetries: REST_RETRIES,
            httpMethodsToRetry: ['GET', 'POST'],
            maxRetryDelay: maxRetryDelayMs,
          },
        });
      } catch (cause) {
        signal?.throwIfAborted();
        throw new QueueUnavailable(`cannot use ${this.url}`, { cause });
      }
    };
  }

  async #authorized(url: string): Promise<AuthClient> {
    try {
      if (this.#emulatorHost !== undefined) {
        const { PassThroughClient } = await import('google-auth-library');
        return new PassThroughClient();
      }
      const client = await this.#environment.credentials(this.#project);
      // Obtains a token, so that what fails after it is not the credentials.
      await client.getRequestHeaders(url);
      return client;
    } catch (err) {
      const failure = credentialFailure({ what: this.#withoutCredentials(), wayOut: CREDENTIALS_ADVICE }, err);
      throw unavailable(`cannot use ${this.url}`, failure);
    }
  }

  #withoutCredentials(): string {
    return `cannot get Google credentials for ${this.url}`;
  }

  /** @param needs which permissions the action needs */
  #grpcError(action: string, needs: string, err: unknown): DspError {
    const cause = withoutHistory(err);
    const failure = `cannot ${action} ${this.url}`;
    switch (grpcCode(err)) {
      case GRPC.notFound:
        return new ConfigurationInvalid(`${failure}: ${MISSING}`, { cause });
      case GRPC.permissionDenied:
        return new PermissionDenied(`${failure}: ${needs}`, { cause });
      case GRPC.unauthenticated:
        return new PermissionDenied(`${failure}: the Google credentials are refused; ${CREDENTIALS_ADVICE}`, { cause });
      case GRPC.invalidArgument:
      case GRPC.failedPrecondition:
        return new ConfigurationInvalid(`${failure}: ${UNFIT}`, { cause });
      default:
        return unavailable(failure, ambientFailure(this.#withoutCredentials(), err) ?? cause);
    }
  }
}

interface Opened {
  readonly pubsub: PubSub;
  readonly topic: Topic;
  readonly gaxOpts: NonNullable<PublishOptions['gaxOpts']>;
}

/** Of either request of `check`: https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics. */
interface TopicAnswer {
  readonly permissions?: readonly string[];
  readonly error?: { readonly message: string };
}

type Ask = (
  method: 'GET' | 'POST',
  verb: string,
  data?: unknown,
) => Promise<{ readonly status: number; readonly data: TopicAnswer }>;

async function ambientCredentials(projectId: string): Promise<AuthClient> {
  const { GoogleAuth } = await import('google-auth-library');
  // With the project given, the library does not run gcloud to learn of it.
  return new GoogleAuth({ projectId, scopes: SCOPE }).getClient();
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (err) {
    if (grpcCode(err) !== GRPC.alreadyExists) throw err;
  }
}

/** Failures that have a name keep it. */
function unavailable(failure: string, cause: unknown): DspError {
  return cause instanceof DspError ? cause : new QueueUnavailable(failure, { cause });
}

function grpcCode(err: unknown): unknown {
  return err instanceof Error && 'code' in err ? err.code : undefined;
}

/** The library lists all attempts in the message of the last one, pages of them. */
function withoutHistory(err: unknown): unknown {
  if (!(err instanceof Error)) return err;
  const end = err.message.indexOf(' : Previous errors : ');
  return end < 0 ? err : new Error(err.message.slice(0, end));
}
