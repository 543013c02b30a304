import type * as Sdk from '@aws-sdk/client-sns';
import pRetry from 'p-retry';
import { ConfigurationInvalid, type DspError, QueueUnavailable, UsageError } from '../../errors.ts';
import type { Enqueuer } from '../../ports/queue.ts';
import { awsCredentials, type AwsCredentialProvider } from '../credentials/aws.ts';
import type { Credentials } from '../credentials/settings.ts';
import { awsFailure, isAwsRefusal, type AwsService } from './aws-failures.ts';
import { Batcher, type BatchEntry } from './batcher.ts';
import { InFlight } from './in-flight.ts';
import { messageBytes } from './message-bytes.ts';
import type { EnqueuerSettings } from './settings.ts';

/** Of PublishBatch, all messages together; hence of one message, too. */
const MAX_BYTES = 262_144;
const MAX_ENTRIES = 10;
const BATCHES_AT_ONCE = 16;

/** Group 1 is the region. FIFO topics, with a dot in their names, take only messages with a group, which ours lack. */
const TOPIC_ARN = /^arn:aws[a-z-]*:sns:([a-z0-9-]+):\d{12}:[\w-]{1,256}$/;

const SERVICE: AwsService = {
  name: 'SNS',
  needs: 'sns:Publish on it is needed, in the policy of our role',
  keyNeeds: 'kms:GenerateDataKey and kms:Decrypt on its key are needed',
  missing: new Set(['NotFound']),
  ifMissing: 'the topic does not exist; create it with Terraform',
};

/** How long to try. Times are milliseconds. */
export interface SnsPatience {
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Of a request, by the SDK, with its own pauses; and of the messages that SNS could not store of a batch. */
  readonly attempts: number;
  /** Before a part of a batch is sent again; doubled each time. */
  readonly firstRetryDelayMs: number;
}

/** About a minute for a service that does not answer at all. */
const PATIENCE: SnsPatience = {
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  attempts: 5,
  firstRetryDelayMs: 200,
};

/**
 * A topic of Amazon SNS, by its ARN; its subscription has to deliver raw messages. `AWS_ENDPOINT_URL_SNS` and
 * `AWS_ENDPOINT_URL` are honoured, by the SDK.
 * @param patience for tests
 * @throws UsageError without a region or for a topic that is no ARN, ConfigurationInvalid for one of another region or
 *   for an identity that is no role
 */
export function openSnsEnqueuer(topic: string, settings: EnqueuerSettings, patience = PATIENCE): Enqueuer {
  const { awsSnsRegion: region, credentials = {} } = settings;
  if (!region) throw new UsageError('topics of kind aws-sns need --aws-sns-region, like eu-west-1');
  if (regionOf(topic, region) !== region) {
    throw new ConfigurationInvalid(`${topic} is not in the region ${region}, which --aws-sns-region gives`);
  }
  return new SnsEnqueuer(topic, region, awsCredentials(credentials), patience);
}

/**
 * The same, in the region that the ARN says.
 * @throws UsageError for a topic that is no ARN, ConfigurationInvalid for an identity that is no role
 */
export function openSnsTopic(topic: string, credentials: Credentials, patience = PATIENCE): Enqueuer {
  return new SnsEnqueuer(topic, regionOf(topic), awsCredentials(credentials), patience);
}

function regionOf(topic: string, exampleRegion = 'eu-west-1'): string {
  const region = TOPIC_ARN.exec(topic)?.[1];
  if (region !== undefined) return region;
  throw new UsageError(
    `${JSON.stringify(topic)} is no ARN of an SNS standard topic, like arn:aws:sns:${exampleRegion}:123456789012:intake-tasks`,
  );
}

/**
 * Publishes to SNS. Messages of one turn of the event loop share a PublishBatch, of which each is stored or not by
 * itself. A message that was accepted before an abort is sent all the same, so that its fate is known.
 */
class SnsEnqueuer implements Enqueuer {
  readonly url: string;
  readonly #region: string;
  readonly #credentials: AwsCredentialProvider | undefined;
  readonly #patience: SnsPatience;
  readonly #inFlight = new InFlight();
  readonly #batcher: Batcher<string>;
  #opened: Promise<Sns> | undefined;

  constructor(topic: string, region: string, credentials: AwsCredentialProvider | undefined, patience: SnsPatience) {
    this.url = topic;
    this.#region = region;
    this.#credentials = credentials;
    this.#patience = patience;
    this.#batcher = new Batcher({
      maxItems: MAX_ENTRIES,
      maxBytes: MAX_BYTES,
      batchesAtOnce: BATCHES_AT_ONCE,
      send: (batch) => this.#send(batch),
    });
  }

  async publish(body: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const bytes = messageBytes(body, MAX_BYTES, this.url);
    await this.#inFlight.run(() => this.#batcher.add(bytes.toString(), bytes.length));
  }

  /** Publishers often may do nothing but `sns:Publish`, so that a refusal to look at the topic says nothing. */
  async check(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { sdk, client } = await this.#sns();
    const command = new sdk.GetTopicAttributesCommand({ TopicArn: this.url });
    try {
      await client.send(command, signal ? { abortSignal: signal } : {});
    } catch (err) {
      signal?.throwIfAborted();
      if (!isAwsRefusal(err)) throw this.#named('use', err);
    }
  }

  async create(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    throw new ConfigurationInvalid(`${this.url} is not created from here: topics of SNS are made with Terraform`);
  }

  /** Waits for what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inFlight.settled();
    const opened = await this.#opened?.catch(() => undefined);
    opened?.client.destroy();
  }

  #sns(): Promise<Sns> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open(): Promise<Sns> {
    const sdk = await import('@aws-sdk/client-sns');
    const { attempts, connectTimeoutMs, requestTimeoutMs } = this.#patience;
    const client = new sdk.SNSClient({
      region: this.#region,
      maxAttempts: attempts,
      retryMode: 'standard',
      requestHandler: {
        connectionTimeout: connectTimeoutMs,
        requestTimeout: requestTimeoutMs,
        throwOnRequestTimeout: true,
        httpsAgent: { keepAlive: true, maxSockets: BATCHES_AT_ONCE },
      },
      ...(this.#credentials ? { credentials: this.#credentials } : {}),
    });
    return { sdk, client };
  }

  async #send(batch: readonly BatchEntry<string>[]): Promise<void> {
    let left = batch;
    const attempt = async (): Promise<void> => {
      const failed = await this.#sendOnce(left);
      left = failed.map(({ entry }) => entry);
      if (failed.length > 0) throw new PartlyFailed(failed);
    };
    try {
      await pRetry(attempt, {
        retries: this.#patience.attempts - 1,
        minTimeout: this.#patience.firstRetryDelayMs,
        randomize: true,
        // The SDK has tried whole requests often enough.
        shouldRetry: ({ error }) => error instanceof PartlyFailed,
      });
    } catch (err) {
      if (!(err instanceof PartlyFailed)) throw this.#named('publish to', err);
      for (const { entry, failure } of err.failed) entry.reject(this.#entryError(failure));
    }
  }

  /** Settles the messages whose fate is certain. @returns the others, which SNS may store next time */
  async #sendOnce(batch: readonly BatchEntry<string>[]): Promise<FailedEntry[]> {
    const { sdk, client } = await this.#sns();
    const { Successful = [], Failed = [] } = await client.send(
      new sdk.PublishBatchCommand({
        TopicArn: this.url,
        PublishBatchRequestEntries: batch.map(({ item }, i) => ({ Id: String(i), Message: item })),
      }),
    );
    const stored = new Set(Successful.map(({ Id }) => Id));
    const failures = new Map(Failed.map((failure) => [failure.Id, failure]));
    const again: FailedEntry[] = [];
    for (const [i, entry] of batch.entries()) {
      const failure = failures.get(String(i));
      if (stored.has(String(i))) entry.resolve();
      else if (failure?.SenderFault) entry.reject(this.#entryError(failure));
      else again.push({ entry, failure });
    }
    return again;
  }

  #entryError(failure: Sdk.BatchResultErrorEntry | undefined): QueueUnavailable {
    if (!failure) return new QueueUnavailable(`cannot publish to ${this.url}: SNS did not tell the message's fate`);
    const { Code: code, Message: message, SenderFault: senderFault } = failure;
    const fault = senderFault ? 'the fault of the message or the topic' : 'a fault of SNS';
    return new QueueUnavailable(
      `cannot publish to ${this.url}: ${code ?? 'an unknown error'}, ${fault}${message ? `: ${message}` : ''}`,
    );
  }

  /** @param action `publish to` */
  #named(action: string, cause: unknown): DspError {
    return awsFailure(`cannot ${action} ${this.url}`, cause, SERVICE);
  }
}

interface Sns {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.SNSClient;
}

interface FailedEntry {
  readonly entry: BatchEntry<string>;
  readonly failure: Sdk.BatchResultErrorEntry | undefined;
}

class PartlyFailed extends Error {
  readonly failed: readonly FailedEntry[];

  constructor(failed: readonly FailedEntry[]) {
    super(`${failed.length} messages of a batch failed`);
    this.failed = failed;
  }
}
