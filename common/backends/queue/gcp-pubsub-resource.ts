import type { PublishOptions, PubSub } from '@google-cloud/pubsub';
import type { AuthClient } from 'google-auth-library';
import { ConfigurationInvalid, DspError, PermissionDenied, QueueUnavailable, UsageError } from '../../errors.ts';
import { ambientFailure, credentialFailure } from '../credentials/failures.ts';
import { googleCredentials } from '../credentials/google.ts';
import type { Credentials } from '../credentials/settings.ts';

/** Of `check`: about 20 s in all for a service that does not answer. */
const REST_TIMEOUT_MS = 5_000;
const REST_RETRIES = 3;

/** What the ids of topics and those of subscriptions are like. */
const ID = /^(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}$/;
const PROJECT_ID = /^[a-z0-9][a-z0-9.:-]*$/;
const FULL_NAME = /^projects\/([^/]+)\/(topics|subscriptions)\/([^/]+)$/;

/** Groups: scheme, host, port. */
const ENDPOINT = /^(?:(https?):\/\/)?([A-Za-z0-9.-]+)(?::(\d{1,5}))?\/?$/;
const LOCAL_HOST = /^(?:localhost|127(?:\.\d{1,3}){3})$/;

const SCOPE = 'https://www.googleapis.com/auth/pubsub';
const UNFIT = 'Pub/Sub says that it cannot work';
const CREDENTIALS_ADVICE =
  'use Workload Identity, a file that GOOGLE_APPLICATION_CREDENTIALS names, or gcloud auth application-default login';

/** Status codes of gRPC, https://grpc.io/docs/guides/status-codes/. */
export const GRPC = {
  ok: 0,
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
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
  /** Whether messages are streamed; default: unless it is an emulator. */
  readonly isStreaming?: boolean;
}

export const GOOGLE: PubSubEnvironment = {
  restUrl: 'https://pubsub.googleapis.com',
  credentials: ambientCredentials,
  attemptTimeoutMs: 20_000,
  totalTimeoutMs: 60_000,
  maxRetryDelayMs: 2_000,
};

/** What a topic and a subscription have in common to say about where they are and who asks. */
export interface PubSubSettings {
  readonly gcpProjectId?: string | undefined;
  readonly pubsubEmulatorHost?: string | undefined;
  readonly pubsubApiEndpoint?: string | undefined;
  readonly credentials?: Credentials | undefined;
}

export interface PubSubKind {
  readonly collection: 'topics' | 'subscriptions';
  /** For messages: `topic`. */
  readonly noun: string;
  /** For messages: `intake-tasks`. */
  readonly example: string;
  /** Which `check` asks for: `pubsub.topics.publish`. */
  readonly permission: string;
  /** The same, as a sentence for people. */
  readonly needs: string;
  /** What to do if it is not there. */
  readonly missing: string;
}

/** Where the service is, unless it is Google's own. */
interface Endpoint {
  /** `host:port` */
  readonly address: string;
  readonly restUrl: string;
  /** Neither TLS nor credentials. */
  readonly isPlain: boolean;
}

type ClientOptions = ConstructorParameters<typeof PubSub>[0];
/** Of the library, whose google-auth-library is a later one than ours. */
type LibraryAuthClient = NonNullable<NonNullable<ClientOptions>['authClient']>;
type CallOptions = NonNullable<PublishOptions['gaxOpts']>;

/** A topic or a subscription: its name, who may use it, how to talk to it, and what its failures are called. */
export class PubSubResource {
  /** `projects/PROJECT/topics/ID` */
  readonly url: string;
  readonly project: string;
  readonly id: string;
  readonly #kind: PubSubKind;
  readonly #endpoint: Endpoint | undefined;
  readonly #credentials: Credentials;
  readonly #environment: PubSubEnvironment;

  /**
   * @param name an id in the project of the settings, or `projects/PROJECT/topics/ID`
   * @throws UsageError for a name or an endpoint that cannot be, or without a project; ConfigurationInvalid for two
   *   projects
   */
  constructor(kind: PubSubKind, name: string, settings: PubSubSettings, environment: PubSubEnvironment) {
    const { gcpProjectId } = settings;
    const [, ownProject, collection = kind.collection, id = name] = FULL_NAME.exec(name) ?? [];
    const project = ownProject ?? gcpProjectId;
    const isName = ID.test(id) && collection === kind.collection;
    if (!isName || (ownProject !== undefined && !PROJECT_ID.test(ownProject))) {
      throw new UsageError(
        `${JSON.stringify(name)} is no Pub/Sub ${kind.noun}: give its id, like ${kind.example} (3 to 255 characters, the first a letter, not beginning with goog), or projects/PROJECT/${kind.collection}/ID`,
      );
    }
    if (!project) throw new UsageError(`${kind.noun}s of kind gcp-pubsub need --gcp-project-id`);
    if (!PROJECT_ID.test(project)) {
      throw new UsageError(`--gcp-project-id is ${JSON.stringify(project)}, but should be the id of a project`);
    }
    if (gcpProjectId && gcpProjectId !== project) {
      throw new ConfigurationInvalid(`${name} is not in the project ${gcpProjectId}, which --gcp-project-id gives`);
    }
    this.url = `projects/${project}/${kind.collection}/${id}`;
    this.project = project;
    this.id = id;
    this.#kind = kind;
    this.#endpoint = endpointOf(settings);
    this.#credentials = settings.credentials ?? {};
    this.#environment = environment;
  }

  /** Whether this is no service of Google's but a program that stands in for it. */
  get isEmulated(): boolean {
    return this.#endpoint?.isPlain ?? false;
  }

  /** Loads the library, with credentials: nothing has been asked of Pub/Sub yet. */
  async connect(): Promise<PubSub> {
    const { PubSub } = await import('@google-cloud/pubsub');
    const authClient = this.isEmulated ? undefined : await libraryCredentials(this.#credentials);
    const pubsub = new PubSub({
      projectId: this.project,
      ...(authClient ? { authClient } : {}),
      ...(this.#endpoint ? { apiEndpoint: this.#endpoint.address, emulatorMode: this.#endpoint.isPlain } : {}),
      // With the universe given, the library asks no metadata server for it.
      ...(this.isEmulated ? { universeDomain: 'googleapis.com' } : {}),
    });
    // A client of the library that finds none throws where nobody can catch it, which ends the process.
    if (!this.isEmulated) await pubsub.auth.getClient();
    return pubsub;
  }

  /**
   * How long the library tries a call.
   * @param limitMs of all attempts, if that is shorter
   */
  callOptions(limitMs = Infinity): CallOptions {
    const { attemptTimeoutMs, totalTimeoutMs } = this.#environment;
    // Within a limit there is time for two attempts at least.
    const attemptMs = Math.min(attemptTimeoutMs, limitMs / 2);
    return {
      retry: {
        backoffSettings: {
          initialRetryDelayMillis: 100,
          retryDelayMultiplier: 2,
          maxRetryDelayMillis: 10_000,
          initialRpcTimeoutMillis: attemptMs,
          rpcTimeoutMultiplier: 1,
          maxRpcTimeoutMillis: attemptMs,
          totalTimeoutMillis: Math.min(totalTimeoutMs, limitMs),
        },
      },
    };
  }

  /**
   * Whether it is there and we have the permission. Over REST, since the library takes a while to load.
   * @throws ConfigurationInvalid, PermissionDenied, QueueUnavailable
   */
  async check(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { permission, needs, missing } = this.#kind;
    const ask = await this.#rest(signal);
    if (!this.isEmulated) {
      // No permissions are granted on what does not exist.
      const { data } = await ask('POST', ':testIamPermissions', { permissions: [permission] });
      if (data.permissions?.includes(permission)) return;
    }
    const { status, data } = await ask('GET', '');
    if (status === 200 && this.isEmulated) return;
    const cause = data.error && new Error(data.error.message);
    const failure = `cannot use ${this.url}`;
    switch (status) {
      case 200:
      case 403:
        throw new PermissionDenied(`${failure}: ${needs}`, { cause });
      case 401:
        throw new PermissionDenied(`${failure}: the Google credentials are refused; ${CREDENTIALS_ADVICE}`, { cause });
      case 404:
        throw new ConfigurationInvalid(`${failure}: ${missing}`, { cause });
      default:
        throw new ConfigurationInvalid(`${failure}: ${UNFIT}`, { cause });
    }
  }

  /**
   * An error of the library by our name.
   * @param action `publish to`
   * @param needs which permissions the action needs
   */
  failure(action: string, err: unknown, needs = this.#kind.needs): DspError {
    const cause = withoutHistory(err);
    const failure = `cannot ${action} ${this.url}`;
    switch (grpcCode(err)) {
      case GRPC.notFound:
        return new ConfigurationInvalid(`${failure}: ${this.#kind.missing}`, { cause });
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

  /** @returns a function for requests about it, which gives all answers but passing failures */
  async #rest(signal: AbortSignal | undefined): Promise<Ask> {
    const { restUrl, maxRetryDelayMs } = this.#environment;
    const path = `projects/${this.project}/${this.#kind.collection}/${encodeURIComponent(this.id)}`;
    const url = `${this.#endpoint?.restUrl ?? restUrl}/v1/${path}`;
    const client = await this.#authorized(url);
    signal?.throwIfAborted();
    return async (method, verb, data) => {
      try {
        return await client.request<ResourceAnswer>({
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
      if (this.isEmulated) {
        const { PassThroughClient } = await import('google-auth-library');
        return new PassThroughClient();
      }
      const client =
        (await googleCredentials(this.#credentials)) ?? (await this.#environment.credentials(this.project));
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
}

/** Of either request of `check`: https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics. */
interface ResourceAnswer {
  readonly permissions?: readonly string[];
  readonly error?: { readonly message: string };
}

type Ask = (
  method: 'GET' | 'POST',
  verb: string,
  data?: unknown,
) => Promise<{ readonly status: number; readonly data: ResourceAnswer }>;

/** An emulator, if there is one, is all that is talked to. */
function endpointOf({ pubsubEmulatorHost, pubsubApiEndpoint }: PubSubSettings): Endpoint | undefined {
  if (pubsubEmulatorHost) {
    return { address: pubsubEmulatorHost, restUrl: `http://${pubsubEmulatorHost}`, isPlain: true };
  }
  if (!pubsubApiEndpoint) return undefined;
  const [, scheme, host, port] = ENDPOINT.exec(pubsubApiEndpoint) ?? [];
  if (host === undefined) {
    throw new UsageError(
      `--pubsub-api-endpoint is ${JSON.stringify(pubsubApiEndpoint)}, but should be like https://pubsub.googleapis.com or localhost:8085`,
    );
  }
  const isPlain = scheme === undefined ? LOCAL_HOST.test(host) : scheme === 'http';
  const address = `${host}:${port ?? (isPlain ? 80 : 443)}`;
  return { address, restUrl: `${isPlain ? 'http' : 'https'}://${address}`, isPlain };
}

async function ambientCredentials(projectId: string): Promise<AuthClient> {
  const { GoogleAuth } = await import('google-auth-library');
  // With the project given, the library does not run gcloud to learn of it.
  return new GoogleAuth({ projectId, scopes: SCOPE }).getClient();
}

/** The library asks its clients for headers in a `Headers`; those of our google-auth-library give a plain object. */
async function libraryCredentials(settings: Credentials): Promise<LibraryAuthClient | undefined> {
  const client = await googleCredentials(settings);
  if (!client) return undefined;
  const adapter = {
    universeDomain: 'googleapis.com',
    getRequestHeaders: async (url?: string) => new Headers(await client.getRequestHeaders(url)),
  };
  // All that google-gax uses of a client that it is given.
  return adapter as unknown as LibraryAuthClient;
}

export function grpcCode(err: unknown): unknown {
  return err instanceof Error && 'code' in err ? err.code : undefined;
}

/** Failures that have a name keep it. */
function unavailable(failure: string, cause: unknown): DspError {
  return cause instanceof DspError ? cause : new QueueUnavailable(failure, { cause });
}

/** The library lists all attempts in the message of the last one, pages of them. */
function withoutHistory(err: unknown): unknown {
  if (!(err instanceof Error)) return err;
  const end = err.message.indexOf(' : Previous errors : ');
  return end < 0 ? err : new Error(err.message.slice(0, end));
}
