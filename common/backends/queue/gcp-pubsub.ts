import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { protos, PubSub, v1 } from '@google-cloud/pubsub';
import pRetry from 'p-retry';
import { LeaseLost, UsageError } from '../../errors.ts';
import type { Delivery, TaskQueue } from '../../ports/queue.ts';
import { openPubSubEnqueuer, type PubSubEnqueuer } from './gcp-pubsub-enqueuer.ts';
import {
  GOOGLE,
  GRPC,
  grpcCode,
  PubSubResource,
  type PubSubEnvironment,
  type PubSubKind,
} from './gcp-pubsub-resource.ts';
import { HeldSlots, type Slot } from './held-slots.ts';
import { InFlight } from './in-flight.ts';
import { LeasedDelivery, leaseLost, type Lease } from './leased-delivery.ts';
import { LinkedAbort } from './linked-abort.ts';
import type { TaskQueueSettings } from './settings.ts';

const DEFAULT_ACK_DEADLINE_MS = 600_000;
const MAX_ACK_DEADLINE_MS = 600_000;

/**
 * Of a message that is on its way to us: the least that a stream may have. What never arrives, because we went or the
 * connection broke, is delivered again after it; what arrives is held for the whole ack deadline from then on.
 */
const STREAM_ACK_DEADLINE_SECONDS = 10;
/** As the library has it: streams on which nothing is said are closed. */
const STREAM_KEEP_ALIVE_MS = 30_000;
/** For what is on its way when we go. */
const PARTING_MS = 1000;
/** Of a stream that breaks again and again, before it is told to whoever waits. */
const STREAM_RETRIES = 5;
const FIRST_RETRY_DELAY_MS = 100;
/** Before a stream that was ended is opened again. */
const REOPENING_MS = 100;
/** Between two looks at an emulator. */
const POLL_MS = 100;

/** What the library repeats of streams. To settle a message twice does no harm either. */
const REPEATED: readonly number[] = [4, 8, 10, 13, 14];
/** Streams are ended now and then, and then opened again. */
const ORDINARY_ENDS: ReadonlySet<unknown> = new Set([GRPC.ok, GRPC.cancelled, GRPC.deadlineExceeded]);
/** No repetition changes these. */
const PERMANENT: ReadonlySet<unknown> = new Set([
  GRPC.invalidArgument,
  GRPC.notFound,
  GRPC.permissionDenied,
  GRPC.failedPrecondition,
  GRPC.unauthenticated,
]);

const SUBSCRIPTION: PubSubKind = {
  collection: 'subscriptions',
  noun: 'subscription',
  example: 'intake-tasks',
  permission: 'pubsub.subscriptions.consume',
  needs: 'pubsub.subscriptions.consume on it is needed, as in the role roles/pubsub.subscriber',
  missing: 'it does not exist; create it with Terraform, or with its topic by --gcp-pubsub-create-topics',
};

/**
 * A subscription of Google Cloud Pub/Sub, by its id in the project of the settings, or as
 * `projects/PROJECT/subscriptions/ID`.
 * @param environment for tests
 * @throws UsageError for a name that no subscription can have, or without a project; ConfigurationInvalid for two
 *   projects
 */
export function openPubSubTaskQueue(
  name: string,
  settings: TaskQueueSettings,
  environment: PubSubEnvironment = GOOGLE,
): TaskQueue {
  const { rejectedTopic, ackDeadlineMs = DEFAULT_ACK_DEADLINE_MS, poolSize = 1 } = settings;
  if (!(ackDeadlineMs >= 1000 && ackDeadlineMs <= MAX_ACK_DEADLINE_MS)) {
    throw new UsageError(`an ack deadline of ${ackDeadlineMs} ms: Pub/Sub has 1 s to 600 s`);
  }
  return new PubSubTaskQueue({
    resource: new PubSubResource(SUBSCRIPTION, name, settings, environment),
    rejected: rejectedTopic === undefined ? undefined : openPubSubEnqueuer(rejectedTopic, settings, environment),
    ackDeadlineMs,
    poolSize,
    isStreaming: environment.isStreaming,
  });
}

interface PubSubTaskQueueOptions {
  readonly resource: PubSubResource;
  readonly rejected: PubSubEnqueuer | undefined;
  readonly ackDeadlineMs: number;
  readonly poolSize: number;
  readonly isStreaming: boolean | undefined;
}

/**
 * Consumes from Pub/Sub by streaming pull: a stream for everyone who waits, which may have one message outstanding and
 * ends with it. So nothing comes while nobody waits for it, and no more is held than callers asked for.
 *
 * The library's `Subscription` is not used, although it has a flow control (`maxMessages`, `allowExcessMessages`): it
 * keeps one stream, and when that has broken, which happens every half an hour, it asks for as many messages again while
 * those of the old stream are in work, and keeps what is too much from all others for as long as they take. Nor does it
 * tell what became of an `ack`.
 *
 * The emulator (0.8.20) does not know flow control: it gives all there is to the first stream. There, messages are
 * pulled one by one.
 */
class PubSubTaskQueue implements TaskQueue {
  readonly url: string;
  readonly ackDeadlineMs: number;
  readonly #resource: PubSubResource;
  readonly #rejected: PubSubEnqueuer | undefined;
  readonly #slots: HeldSlots;
  readonly #isStreaming: boolean;
  readonly #closing = new AbortController();
  readonly #inFlight = new InFlight();
  #opened: Promise<Opened> | undefined;

  constructor({ resource, rejected, ackDeadlineMs, poolSize, isStreaming }: PubSubTaskQueueOptions) {
    this.url = resource.url;
    this.ackDeadlineMs = ackDeadlineMs;
    this.#resource = resource;
    this.#rejected = rejected;
    this.#slots = new HeldSlots(poolSize);
    // One for everyone who waits: no leak.
    setMaxListeners(0, this.#closing.signal);
    this.#isStreaming = isStreaming ?? !resource.isEmulated;
  }

  async receive(signal: AbortSignal): Promise<Delivery | undefined> {
    using stop = new LinkedAbort(signal, this.#closing.signal);
    for (;;) {
      const slot = await this.#slots.take(stop.signal);
      if (!slot) return undefined;
      let delivery: Delivery | undefined;
      try {
        delivery = await this.#inFlight.run(() => this.#next(slot, stop.signal));
      } finally {
        if (!delivery) slot.free();
      }
      if (delivery) return delivery;
    }
  }

  async check(signal?: AbortSignal): Promise<void> {
    await this.#resource.check(signal);
    await this.#rejected?.check(signal);
  }

  /** Ends all waiting, and waits for what is under way. Deliveries that are held stay so. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#inFlight.settled();
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.client.close();
    await opened?.pubsub.close();
    await this.#rejected?.[Symbol.asyncDispose]();
  }

  /** @returns `undefined` if the wait was ended, by us or by the service, and if the message was no longer to be had */
  async #next(slot: Slot, stop: AbortSignal): Promise<Delivery | undefined> {
    const { client, received } = await this.#receive(stop);
    const [first, ...excess] = received;
    // More than one is against the flow control that we asked for. What cannot be given back comes again by itself.
    await Promise.allSettled(excess.map((message) => this.#lease(client, message).giveBack()));
    if (!first) {
      // Should the service end streams as soon as they are there.
      await delay(REOPENING_MS, undefined, { signal: stop }).catch(() => {});
      return undefined;
    }
    // Made before the deadline is moved, as its time counts from then on.
    const delivery = this.#delivery(first, this.#lease(client, first), slot);
    try {
      await delivery.extend();
    } catch (err) {
      // With exactly-once delivery: it was too late for this one.
      if (err instanceof LeaseLost) return undefined;
      throw err;
    }
    if (!stop.aborted) return delivery;
    await delivery.nack().catch(() => {});
    return undefined;
  }

  /** @returns no message if the wait was ended, by us or by the service */
  async #receive(stop: AbortSignal): Promise<{ client: v1.SubscriberClient; received: readonly Received[] }> {
    const { client } = await this.#open();
    let received: readonly Received[] = [];
    const look = async (): Promise<void> => {
      received = this.#isStreaming ? await this.#stream(client, stop) : await this.#poll(client, stop);
    };
    try {
      await pRetry(look, {
        retries: STREAM_RETRIES,
        minTimeout: FIRST_RETRY_DELAY_MS,
        randomize: true,
        shouldRetry: ({ error }) => !PERMANENT.has(grpcCode(error)),
        signal: stop,
      });
    } catch (err) {
      // Rejects also if we go, whatever has come by then.
      if (!stop.aborted) throw this.#resource.failure('receive from', err);
    }
    return { client, received };
  }

  #stream(client: v1.SubscriberClient, stop: AbortSignal): Promise<readonly Received[]> {
    if (stop.aborted) return Promise.resolve([]);
    const stream = client.streamingPull({
      otherArgs: { headers: { 'x-goog-request-params': `subscription=${encodeURIComponent(this.url)}` } },
    });
    stream.write({
      subscription: this.url,
      streamAckDeadlineSeconds: STREAM_ACK_DEADLINE_SECONDS,
      maxOutstandingMessages: 1,
    });
    return firstMessages(stream, stop);
  }

  async #poll(client: v1.SubscriberClient, stop: AbortSignal): Promise<readonly Received[]> {
    for (;;) {
      const request = { subscription: this.url, maxMessages: 1, returnImmediately: true };
      const [{ receivedMessages }] = await client.pull(request, this.#resource.callOptions());
      if (receivedMessages?.length || stop.aborted) return receivedMessages ?? [];
      await delay(POLL_MS, undefined, { signal: stop }).catch(() => {});
    }
  }

  #delivery({ message, deliveryAttempt, ackId }: Received, lease: Lease, slot: Slot): LeasedDelivery {
    const body = bytesOf(message?.data);
    const rejected = this.#rejected;
    return new LeasedDelivery({
      id: message?.messageId ?? String(ackId),
      body,
      // Zero where there is no dead-letter policy.
      attempt: deliveryAttempt || undefined,
      publishedAt: dateOf(message?.publishTime),
      url: this.url,
      ackDeadlineMs: this.ackDeadlineMs,
      // A message of attributes only cannot be published without them: it stays where it is.
      lease: { ...lease, park: rejected && body.length > 0 ? () => rejected.publish(body) : undefined },
      slot,
    });
  }

  #lease(client: v1.SubscriberClient, { ackId, message }: Received): Lease {
    const id = message?.messageId ?? '';
    const request = { subscription: this.url, ackIds: [ackId ?? ''] };
    const options = this.#callOptions();
    // By a third of the deadline, an extension that has not succeeded leaves time for others.
    const hurried = this.#callOptions(this.ackDeadlineMs / 3);
    const wholeDeadline = Math.floor(this.ackDeadlineMs / 1000);
    const tell = (action: string, call: () => Promise<unknown>): Promise<void> =>
      this.#inFlight.run(async () => {
        try {
          await call();
        } catch (err) {
          if (isInvalidAckId(err, request.ackIds)) throw leaseLost(id, this.url, err);
          throw this.#resource.failure(`${action} message ${id} of`, err);
        }
      });
    const setDeadline = (ackDeadlineSeconds: number, callOptions: CallOptions): Promise<unknown> =>
      client.modifyAckDeadline({ ...request, ackDeadlineSeconds }, callOptions);
    return {
      acknowledge: () => tell('acknowledge', () => client.acknowledge(request, options)),
      giveBack: () => tell('give back', () => setDeadline(0, options)),
      extend: () => tell('extend the lease of', () => setDeadline(wholeDeadline, hurried)),
    };
  }

  #callOptions(limitMs?: number): CallOptions {
    const { retry } = this.#resource.callOptions(limitMs);
    return { retry: { ...retry, retryCodes: [...REPEATED] } };
  }

  #open(): Promise<Opened> {
    if (this.#opened) return this.#opened;
    const opened = this.#load().catch((err: unknown) => {
      throw this.#resource.failure('receive from', err);
    });
    this.#opened = opened;
    // Credentials that cannot be had now may be there later.
    opened.catch(() => (this.#opened = undefined));
    return opened;
  }

  async #load(): Promise<Opened> {
    const pubsub = await this.#resource.connect();
    const { v1 } = await import('@google-cloud/pubsub');
    // Made for this very purpose; it only types the port more widely.
    const options = (await pubsub.getClientConfig()) as ConstructorParameters<typeof v1.SubscriberClient>[0];
    return { pubsub, client: new v1.SubscriberClient(options) };
  }
}

interface Opened {
  readonly pubsub: PubSub;
  readonly client: v1.SubscriberClient;
}

type Stream = ReturnType<v1.SubscriberClient['streamingPull']>;
type CallOptions = ReturnType<PubSubResource['callOptions']>;
type Received = protos.google.pubsub.v1.IReceivedMessage;

/**
 * The messages of the first response that has any; none if the stream was ended, by the service or because we go. We do
 * so by saying that we are done and listening for another second, so that a message that is on its way is not lost.
 */
function firstMessages(stream: Stream, stop: AbortSignal): Promise<readonly Received[]> {
  return new Promise((resolve, reject) => {
    let cutOff: NodeJS.Timeout | undefined;
    const keepAlive = setInterval(() => stream.write({}), STREAM_KEEP_ALIVE_MS);
    const finish = (settle: () => void): void => {
      clearInterval(keepAlive);
      clearTimeout(cutOff);
      stop.removeEventListener('abort', leave);
      stream.cancel();
      settle();
    };
    const leave = (): void => {
      clearInterval(keepAlive);
      cutOff = setTimeout(() => finish(() => resolve([])), PARTING_MS);
      stream.end();
    };
    stream.on('data', ({ receivedMessages }: { readonly receivedMessages?: readonly Received[] | null }) => {
      if (receivedMessages?.length) finish(() => resolve(receivedMessages));
    });
    stream.on('end', () => finish(() => resolve([])));
    // Comes again after `cancel`, when nobody listens to the promise any more.
    stream.on('error', (err) => finish(() => (ORDINARY_ENDS.has(grpcCode(err)) ? resolve([]) : reject(err))));
    stop.addEventListener('abort', leave, { once: true });
  });
}

function dateOf(time: protos.google.protobuf.ITimestamp | null | undefined): Date | undefined {
  return time ? new Date(Number(time.seconds ?? 0) * 1000 + (time.nanos ?? 0) / 1e6) : undefined;
}

function bytesOf(data: Uint8Array | string | null | undefined): Uint8Array {
  // A string in none of the library's answers, only in requests.
  return typeof data === 'string' ? Buffer.from(data, 'base64') : (data ?? new Uint8Array());
}

/** With exactly-once delivery, Pub/Sub tells of each id why it is refused. */
function isInvalidAckId(err: unknown, ackIds: readonly string[]): boolean {
  if (!(err instanceof Error && 'errorInfoMetadata' in err)) return false;
  const told = err.errorInfoMetadata;
  if (typeof told !== 'object' || told === null) return false;
  return Object.entries(told).some(([id, why]) => ackIds.includes(id) && String(why).startsWith('PERMANENT_FAILURE'));
}
