import { parseCompactTime } from '../common/domain/batch-time.ts';
import type { Job } from './jobs.ts';

export interface LeftBehindSettings {
  readonly now: Date;
  /** How long ago a Job must have finished. */
  readonly minAgeMs: number;
  /** How old a Job that is still active must be to be taken for stuck. */
  readonly stuckAgeMs: number;
}

/** The only container of the Jobs of older versions. */
const CONTAINER = 'facile-container';

const TIME = String.raw`(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)`;

/**
 * Names of older versions' Jobs. They made a batch's of the aggregation's id, cut to 27 characters, and the first half
 * of the batch's UUID; a window's of the id cut to 30 characters. Lower case, and a hyphen for whatever cannot be in
 * the name of a Job.
 */
const NAMES: readonly RegExp[] = [
  new RegExp(`^i-[a-z0-9-]{1,27}-[0-9a-f]{16}-${TIME}$`),
  new RegExp(`^a-[a-z0-9-]{1,30}-${TIME}$`),
];

/**
 * Whether nobody needs the Job any more: it is an older version's, or selected by the operator's labels, and it has
 * finished long enough ago or is stuck. Never one that belongs to a CronJob or to any other controller, nor one that
 * the clock of the cluster dates later than ours.
 */
export function isLeftBehind(job: Job, settings: LeftBehindSettings): boolean {
  if (job.isBeingDeleted || isOwned(job)) return false;
  return (job.isSelected || isOfOlderVersion(job)) && isOldEnough(job, settings);
}

function isOwned({ owners }: Job): boolean {
  return owners.some(({ kind, isController }) => isController || kind === 'CronJob');
}

function isOfOlderVersion({ name, containers }: Job): boolean {
  return containers.length === 1 && containers[0] === CONTAINER && isOlderVersionsName(name);
}

function isOlderVersionsName(name: string): boolean {
  return NAMES.some((form) => {
    const digits = form.exec(name)?.slice(1).join('');
    return digits !== undefined && parseCompactTime(digits) !== undefined;
  });
}

function isOldEnough({ createdAt, finishedAt }: Job, { now, minAgeMs, stuckAgeMs }: LeftBehindSettings): boolean {
  const ageMs = now.getTime() - createdAt.getTime();
  if (ageMs < 0) return false;
  if (!finishedAt) return ageMs > stuckAgeMs;
  const finishedAgoMs = now.getTime() - finishedAt.getTime();
  return finishedAgoMs >= Math.max(0, minAgeMs);
}
