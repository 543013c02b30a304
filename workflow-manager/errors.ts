import { DspError } from '../common/errors.ts';

/** A claim on a window cannot be read as a task; the window's batch list is not known, so nothing is published for it. */
export class ClaimUnusable extends DspError {
  readonly code = 'E_CLAIM';
  readonly fate = 'reject';
}

/** No batch of a window has our own validation, although the peer has validated some. */
export class OwnValidationsMissing extends DspError {
  readonly code = 'E_OWN_VALIDATIONS_MISSING';
  readonly fate = 'retry';
}

/** Some tasks could not be published. */
export class PublishingIncomplete extends DspError {
  readonly code = 'E_PUBLISHING';
  readonly fate = 'retry';
}

/** Some aggregations failed; each is logged. */
export class AggregationsFailed extends DspError {
  readonly code = 'E_AGGREGATIONS_FAILED';
  readonly fate = 'retry';
}

/** The API server of the Kubernetes cluster failed or could not be reached. */
export class ClusterUnavailable extends DspError {
  readonly code = 'E_CLUSTER_UNAVAILABLE';
  readonly fate = 'retry';
}

/** A Job that was left behind could not be deleted, or some could not; each is logged. */
export class ReapingFailed extends DspError {
  readonly code = 'E_REAPING';
  readonly fate = 'retry';
}

/** The metrics gateway failed, refused what was pushed, or could not be reached. */
export class MetricsUnavailable extends DspError {
  readonly code = 'E_METRICS';
  readonly fate = 'retry';
}
