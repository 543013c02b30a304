import type { Credentials } from '../credentials/settings.ts';

/** What topics need to know besides their name. */
export interface EnqueuerSettings {
  readonly clock: () => Date;
  /** For `gcp-pubsub`, which needs it: the project that the topic is in. */
  readonly gcpProjectId?: string | undefined;
  /** For `gcp-pubsub`: `host:port` of an emulator, which is then all that is talked to, without credentials. */
  readonly pubsubEmulatorHost?: string | undefined;
  /** For `aws-sns`, which needs it: `eu-west-1`. */
  readonly awsSnsRegion?: string | undefined;
  /** Whom to be at the service; topics of this machine need nobody. */
  readonly credentials?: Credentials | undefined;
  /** As for subscriptions. */
  readonly pubsubApiEndpoint?: string | undefined;
}

/** What subscriptions need to know besides their name. */
export interface TaskQueueSettings {
  readonly clock: () => Date;
  /** The topic of the same service that takes rejected tasks; without one they are given back. */
  readonly rejectedTopic?: string | undefined;
  /** Whom to be at the service; queues of this machine need nobody. */
  readonly credentials?: Credentials | undefined;
  /** Default: 10 min, or what the service has set. */
  readonly ackDeadlineMs?: number | undefined;
  /**
   * How many messages are held at most; whoever wants to receive another waits. Default: 1. Queues of this machine hold
   * as many as are asked for.
   */
  readonly poolSize?: number | undefined;
  /** For `gcp-pubsub`, which needs it unless names are full: the project that subscription and topic are in. */
  readonly gcpProjectId?: string | undefined;
  /** For `gcp-pubsub`: `host:port` of an emulator, which is then all that is talked to, without credentials. */
  readonly pubsubEmulatorHost?: string | undefined;
  /**
   * For `gcp-pubsub`: another address of the service, `https://HOST` or `HOST:PORT`. One of this machine, or with
   * `http://`, is an emulator's.
   */
  readonly pubsubApiEndpoint?: string | undefined;
  /** For `aws-sqs`; default: that in the queue's URL. */
  readonly awsSqsRegion?: string | undefined;
}
