/** What topics need to know besides their name. */
export interface EnqueuerSettings {
  readonly clock: () => Date;
  /** For `gcp-pubsub`, which needs it: the project that the topic is in. */
  readonly gcpProjectId?: string | undefined;
  /** For `gcp-pubsub`: `host:port` of an emulator, which is then all that is talked to, without credentials. */
  readonly pubsubEmulatorHost?: string | undefined;
  /** For `aws-sns`, which needs it: `eu-west-1`. */
  readonly awsSnsRegion?: string | undefined;
  /** For `aws-sns`: the ARN of a role to assume instead of the ambient identity. */
  readonly awsSnsIdentity?: string | undefined;
}
