import { setMaxListeners } from 'node:events';
import type * as Sdk from '@aws-sdk/client-sqs';
import { ConfigurationInvalid, type DspError, UsageError } from '../../errors.ts';
import type { Delivery, Enqueuer, TaskQueue } from '../../ports/queue.ts';
import { awsCredentials, type AwsCredentialProvider } from '../credentials/aws.ts';
import { awsErrorName, awsFailure, type AwsService } from './aws-failures.ts';
import { openSnsTopic } from './aws-sns.ts';
import { HeldSlots, type Slot } from './held-slots.ts';
import { InFlight } from './in-flight.ts';
import { LeasedDelivery, leaseLost, type Lease } from './leased-delivery.ts';
import { LinkedAbort } from './linked-abort.ts';
import type { TaskQueueSettings } from './settings.ts';

const DEFAULT_ACK_DEADLINE_MS = 600_000;
/** Of SQS, for all extensions together, too. */
const MAX_ACK_DEADLINE_MS = 43_200_000;

/** `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`, or of a stand-in. FIFO queues take no messages of SNS topics like ours. */
const QUEUE_PATH = /^\/\d{12}\/[\w-]{1,80}$/;
/** Group 1 or 2 is the region. */
const QUEUE_HOST = /^(?:sqs(?:-fips)?\.([a-z0-9-]+)\.|([a-z0-9-]+)\.queue\.amazonaws\.com)/;

const SERVICE: AwsService = {
  name: 'SQS',
  needs:
    'sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes on it are needed, ' +
    'in the policy of our role',
  keyNeeds: 'kms:Decrypt on its key is needed',
  missing: new Set(['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue']),
  ifMissing: 'the queue does not exist, or our role may not know of it; create it with Terraform',
};

/** Where the SDK looks for queues by itself; not so at a VPC endpoint, for one. */
const ORDINARY_HOST = /^(?:sqs(?:-fips)?\.[a-z0-9-]+|(?:[a-z0-9-]+\.)?queue)\.amazonaws\.com(?:\.cn)?$/;

/** The SDK warns of endpoints that are not as it expects: on the console, unless it has a logger. */
const SILENCE = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** How SQS says that a message is no longer in our hands. */
const NOT_OURS: ReadonlySet<string> = new Set(['MessageNotInflight', 'ReceiptHandleIsInvalid']);

/** How long to wait and to try. */
export interface SqsPatience {
  readonly connectTimeoutMs: number;
  /** For an answer; a long poll has its own time before it. */
  readonly requestTimeoutMs: number;
  /** Of a request, by the SDK, with its own pauses. */
  readonly attempts: number;
  /** How long SQS waits for a message before it says that there is none: 0 to 20. */
  readonly pollSeconds: number;
  /** For the answer to a long poll when we go. */
  readonly partingMs: number;
}

/** About a minute for a service that does not answer at all. */
const PATIENCE: SqsPatience = {
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  attempts: 5,
  pollSeconds: 20,
  partingMs: 1_000,
};

/**
 * A standard queue of Amazon SQS, by its URL. For queues of AWS, `AWS_ENDPOINT_URL_SQS` and `AWS_ENDPOINT_URL` are
 * honoured, by the SDK; any other URL says itself where its service is. The rejected topic is one of SNS, by its ARN.
 * @param patience for tests
 * @throws UsageError for a name that is no URL of a queue, or without a region; ConfigurationInvalid for two regions, or
 *   an identity that is no role
 */
export function openSqsTaskQueue(queueUrl: string, settings: TaskQueueSettings, patience = PATIENCE): TaskQueue {
  const { rejectedTopic, credentials = {}, ackDeadlineMs = DEFAULT_ACK_DEADLINE_MS, poolSize = 1 } = settings;
  if (!(ackDeadlineMs >= 1000 && ackDeadlineMs <= MAX_ACK_DEADLINE_MS)) {
    throw new UsageError(`an ack deadline of ${ackDeadlineMs} ms: SQS has 1 s to 12 h`);
  }
  const ownRegion = regionOf(queueUrl);
  const region = settings.awsSqsRegion || ownRegion;
  if (!region) throw new UsageError(`${queueUrl} does not say its region: give --aws-sqs-region, like eu-west-1`);
  if (ownRegion !== undefined && ownRegion !== region) {
    throw new ConfigurationInvalid(`${queueUrl} is not in the region ${region}, which --aws-sqs-region gives`);
  }
  return new SqsTaskQueue({
    queueUrl,
    region,
    credentials: awsCredentials(credentials),
    rejected: rejectedTopic === undefined ? undefined : openSnsTopic(rejectedTopic, credentials),
    ackDeadlineMs,
    poolSize,
    patience,
  });
}

/** @returns `undefined` if it is a queue's URL, but without region */
function regionOf(queueUrl: string): string | undefined {
  const url = URL.canParse(queueUrl) ? new URL(queueUrl) : undefined;
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url && isHttp && isPlain && QUEUE_PATH.test(url.pathname)) {
    const [, region, oldRegion] = QUEUE_HOST.exec(url.hostname) ?? [];
    return region ?? oldRegion;
  }
  const shown = queueUrl.replace(/\/\/[^/]*@/, '//…@');
  throw new UsageError(
    `${JSON.stringify(shown)} is no URL of an SQS standard queue, like https://sqs.eu-west-1.amazonaws.com/123456789012/intake-tasks`,
  );
}

interface SqsTaskQueueOptions {
  readonly queueUrl: string;
  readonly region: string;
  readonly credentials: AwsCredentialProvider | undefined;
  readonly rejected: Enqueuer | undefined;
  readonly ackDeadlineMs: number;
  readonly poolSize: number;
  readonly patience: SqsPatience;
}

/**
 * Consumes from SQS: a long poll for everyone who waits, for one message each.
 *
 * When we go while SQS holds a long poll, it may still hand a message to nobody, and then keeps it from all others for
 * an ack deadline. Hence the answer is waited for, for a second, and what comes in it given back: so nothing that is
 * in the queue by then is lost sight of. A poll that is cut after that second in vain can only cost a message that is
 * published in its last moments an ack deadline of delay; waiting for its end would cost every shutdown 20 s.
 */
class SqsTaskQueue implements TaskQueue {
  readonly url: string;
  readonly ackDeadlineMs: number;
  readonly #region: string;
  readonly #credentials: AwsCredentialProvider | undefined;
  readonly #rejected: Enqueuer | undefined;
  readonly #patience: SqsPatience;
  readonly #poolSize: number;
  readonly #slots: HeldSlots;
  readonly #closing = new AbortController();
  readonly #inFlight = new InFlight();
  #opened: Promise<Sqs> | undefined;

  constructor({ queueUrl, region, credentials, rejected, ackDeadlineMs, poolSize, patience }: SqsTaskQueueOptions) {
    this.url = queueUrl;
    this.ackDeadlineMs = ackDeadlineMs;
    this.#region = region;
    this.#credentials = credentials;
    this.#rejected = rejected;
    this.#patience = patience;
    this.#poolSize = poolSize;
    this.#slots = new HeldSlots(poolSize);
    // One for everyone who waits: no leak.
    setMaxListeners(0, this.#closing.signal);
  }

  async receive(signal: AbortSignal): Promise<Delivery | undefined> {
    using stop = new LinkedAbort(signal, this.#closing.signal);
    const slot = await this.#slots.take(stop.signal);
    if (!slot) return undefined;
    let delivery: Delivery | undefined;
    try {
      delivery = await this.#inFlight.run(() => this.#next(slot, stop.signal));
      return delivery;
    } finally {
      if (!delivery) slot.free();
    }
  }

  /** Asks for the queue's attributes, since a poll, which is what matters, would take a message. */
  async check(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { sdk, client } = await this.#sqs();
    const command = new sdk.GetQueueAttributesCommand({ QueueUrl: this.url, AttributeNames: ['QueueArn'] });
    try {
      await client.send(command, signal ? { abortSignal: signal } : {});
    } catch (err) {
      signal?.throwIfAborted();
      throw this.#named('use', err);
    }
    await this.#rejected?.check(signal);
  }

  /** Ends all waiting, and waits for what is under way. Deliveries that are held stay so. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#inFlight.settled();
    const opened = await this.#opened?.catch(() => undefined);
    opened?.client.destroy();
    await this.#rejected?.[Symbol.asyncDispose]();
  }

  #sqs(): Promise<Sqs> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open(): Promise<Sqs> {
    const sdk = await import('@aws-sdk/client-sqs');
    const { attempts, connectTimeoutMs, requestTimeoutMs } = this.#patience;
    // A long poll and an extension for each.
    const agent = { keepAlive: true, maxSockets: 2 * this.#poolSize };
    const client = new sdk.SQSClient({
      region: this.#region,
      useQueueUrlAsEndpoint: !ORDINARY_HOST.test(new URL(this.url).hostname),
      logger: SILENCE,
      maxAttempts: attempts,
      retryMode: 'standard',
      requestHandler: {
        connectionTimeout: connectTimeoutMs,
        requestTimeout: requestTimeoutMs,
        throwOnRequestTimeout: true,
        httpAgent: agent,
        httpsAgent: agent,
      },
      ...(this.#credentials ? { credentials: this.#credentials } : {}),
    });
    return { sdk, client };
  }

  async #next(slot: Slot, stop: AbortSignal): Promise<Delivery | undefined> {
    while (!stop.aborted) {
      const message = await this.#poll(stop);
      if (!message) continue;
      const lease = this.#lease(message);
      if (!stop.aborted) return this.#delivery(message, lease, slot);
      // Should it fail, the message comes again after its deadline.
      await lease.giveBack().catch(() => {});
    }
    return undefined;
  }

  /** @returns `undefined` if none came in time, or we go */
  async #poll(stop: AbortSignal): Promise<Sdk.Message | undefined> {
    const { sdk, client } = await this.#sqs();
    if (stop.aborted) return undefined;
    const { pollSeconds, requestTimeoutMs, partingMs } = this.#patience;
    const command = new sdk.ReceiveMessageCommand({
      QueueUrl: this.url,
      MaxNumberOfMessages: 1,
      WaitTimeSeconds: pollSeconds,
      VisibilityTimeout: this.#visibilitySeconds(),
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
    });
    const cut = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const part = (): void => {
      timer = setTimeout(() => cut.abort(), partingMs);
    };
    stop.addEventListener('abort', part, { once: true });
    try {
      const answer = client.send(command, {
        abortSignal: cut.signal,
        requestTimeout: pollSeconds * 1000 + requestTimeoutMs,
      });
      const { Messages: messages = [] } = await answer;
      return messages[0];
    } catch (err) {
      if (stop.aborted) return undefined;
      throw this.#named('receive from', err);
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', part);
    }
  }

  #delivery({ MessageId, Body = '', Attributes }: Sdk.Message, lease: Lease, slot: Slot): LeasedDelivery {
    const attempt = Number(Attributes?.ApproximateReceiveCount);
    const sentMs = Number(Attributes?.SentTimestamp);
    const rejected = this.#rejected;
    return new LeasedDelivery({
      id: MessageId ?? '',
      body: Buffer.from(Body),
      attempt: attempt >= 1 ? attempt : undefined,
      publishedAt: sentMs > 0 ? new Date(sentMs) : undefined,
      url: this.url,
      ackDeadlineMs: this.ackDeadlineMs,
      lease: { ...lease, park: rejected && Body !== '' ? () => rejected.publish(Body) : undefined },
      slot,
    });
  }

  #lease({ MessageId: id = '', ReceiptHandle }: Sdk.Message): Lease {
    const message = { QueueUrl: this.url, ReceiptHandle };
    const tell = (action: string, call: (sqs: Sqs) => Promise<unknown>): Promise<void> =>
      this.#inFlight.run(async () => {
        try {
          await call(await this.#sqs());
        } catch (err) {
          throw isNotOurs(err) ? leaseLost(id, this.url, err) : this.#named(`${action} message ${id} of`, err);
        }
      });
    const hideFor = (seconds: number, { sdk, client }: Sqs): Promise<unknown> =>
      client.send(new sdk.ChangeMessageVisibilityCommand({ ...message, VisibilityTimeout: seconds }));
    return {
      acknowledge: () => tell('acknowledge', ({ sdk, client }) => client.send(new sdk.DeleteMessageCommand(message))),
      giveBack: () => tell('give back', (sqs) => hideFor(0, sqs)),
      extend: () => tell('extend the lease of', (sqs) => hideFor(this.#visibilitySeconds(), sqs)),
    };
  }

  #visibilitySeconds(): number {
    return Math.floor(this.ackDeadlineMs / 1000);
  }

  /** @param action `receive from` */
  #named(action: string, cause: unknown): DspError {
    return awsFailure(`cannot ${action} ${this.url}`, cause, SERVICE);
  }
}

interface Sqs {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.SQSClient;
}

function nothing(): void {}

function isNotOurs(err: unknown): boolean {
  if (NOT_OURS.has(awsErrorName(err))) return true;
  // A receipt that has expired has no error of its own.
  return awsErrorName(err) === 'InvalidParameterValue' && err instanceof Error && /receipt ?handle/i.test(err.message);
}
