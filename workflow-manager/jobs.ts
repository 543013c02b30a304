/** Whom a Job belongs to: an entry of its `ownerReferences`. */
export interface JobOwner {
  /** `CronJob`, for example. */
  readonly kind: string;
  /** Whether it is the one that manages the Job. */
  readonly isController: boolean;
}

/** What is to be known of a Kubernetes Job to judge whether it was left behind. */
export interface Job {
  readonly namespace: string;
  readonly name: string;
  /** Of this very Job; another one that takes its name later has another. */
  readonly uid: string;
  readonly createdAt: Date;
  /** When it completed or failed; `undefined` while it is active, which suspended ones are, too. */
  readonly finishedAt: Date | undefined;
  /** The names of its pods' containers. */
  readonly containers: readonly string[];
  readonly owners: readonly JobOwner[];
  /** Somebody has deleted it already; what is left waits for finalizers. */
  readonly isBeingDeleted: boolean;
  /** Whether it carries the labels by which the operator selects Jobs; `false` if there is no selector. */
  readonly isSelected: boolean;
}

/** The Kubernetes Jobs of one namespace. */
export interface Jobs {
  /** For logs and errors, never with credentials. */
  readonly url: string;

  /**
   * All Jobs of the namespace in no certain order, read as the consumer goes on; it may delete those that it has got.
   * Each comes once, unless the cluster forgets the listing half-way, so that it starts again. Waits a while for a
   * cluster that cannot be reached.
   * @throws ConfigurationInvalid, PermissionDenied, ClusterUnavailable, or the signal's reason
   */
  list(signal?: AbortSignal): AsyncIterable<Job>;

  /**
   * Deletes that very Job; its pods go after it, in their own time.
   * @returns `gone` if it was not there any more, even if another one has its name by now
   * @throws PermissionDenied if no Job may be deleted, ReapingFailed if this one may not; ClusterUnavailable, or the
   *   signal's reason
   */
  delete(job: Job, signal?: AbortSignal): Promise<'deleted' | 'gone'>;
}
