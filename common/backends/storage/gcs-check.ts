import { PermissionDenied } from '../../errors.ts';
import type { GcsBucket } from './gcs-bucket.ts';
import { missingBucket } from './gcs-errors.ts';

const READING = ['storage.objects.get', 'storage.objects.list'];
/** Also to replace objects. A peer that lets us write need not let us read. */
const WRITING = ['storage.objects.create', 'storage.objects.delete'];

/** Of stand-ins that do not have the call. */
const UNKNOWN_CALL = [404, 405, 501];

/** Google's error in JSON, or what somebody else says in his own way. */
type Answer = { readonly permissions?: readonly string[]; readonly error?: unknown } | string | null;

/**
 * Asks Google which permissions we have on the bucket, which needs none:
 * https://cloud.google.com/storage/docs/json_api/v1/buckets/testIamPermissions. Stand-ins may not know that; there, it
 * is enough that the bucket exists.
 * @throws ConfigurationInvalid if there is no such bucket, PermissionDenied that names what we lack
 */
export async function checkGcsBucket(
  bucket: GcsBucket,
  access: 'read' | 'write',
  signal: AbortSignal | undefined,
): Promise<void> {
  const action = bucket.action('check');
  const wanted = access === 'read' ? READING : WRITING;
  const query = wanted.map((permission) => `permissions=${permission}`).join('&');
  const { status, data } = await bucket.send<Answer>(
    action,
    {
      method: 'GET',
      path: `${bucket.path}/iam/testPermissions?${query}`,
      answer: 'json',
      expect: UNKNOWN_CALL,
    },
    signal,
  );
  const answer = typeof data === 'object' && data !== null ? data : undefined;
  if (UNKNOWN_CALL.includes(status)) {
    if (status === 404 && answer?.error !== undefined) throw missingBucket(bucket.location.bucket);
    // Says itself that there is no such bucket.
    await bucket.send(action, { method: 'GET', path: `${bucket.path}?fields=name`, answer: 'json' }, signal);
    return;
  }
  const granted = new Set(answer?.permissions);
  const lacking = wanted.filter((permission) => !granted.has(permission));
  if (lacking.length === 0) return;
  throw new PermissionDenied(
    `cannot ${access} ${bucket.location.url}: our identity lacks ${lacking.join(', ')} on gs://${bucket.location.bucket}`,
  );
}
