import { objectKeyFault } from '../../domain/object-key.ts';
import { ConfigurationInvalid } from '../../errors.ts';

/** What `gs://bucket[/prefix]` says. */
export interface GcsLocation {
  readonly bucket: string;
  /** What all names in the bucket begin with: empty, or ending in a slash. */
  readonly prefix: string;
  /** `gs://bucket[/prefix]`, without a trailing slash. */
  readonly url: string;
}

const FORM = /^gs:\/\/([^/]+)(?:\/(.*))?$/i;

/** Of a bucket, or of each part between dots. https://cloud.google.com/storage/docs/buckets#naming */
const LABEL = /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/;
const MAX_LABEL = 63;
const MIN_BUCKET = 3;
const MAX_BUCKET = 222;
const IP_ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;

/** https://cloud.google.com/storage/docs/locations#location-r */
const REGION =
  /^(?:africa|asia|australia|europe|me|northamerica|southamerica|us)-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)\d{1,2}$/;

/**
 * Reads `gs://bucket[/prefix]`; the scheme is in any case, a slash at the end makes no difference. The prefix is taken as it
 * stands, without decoding.
 * @returns `undefined` if it is of another form
 * @throws ConfigurationInvalid if a region stands before the bucket, as in `s3://`
 */
export function parseGcsLocation(location: string): GcsLocation | undefined {
  const [, bucket = '', rest = ''] = FORM.exec(location) ?? [];
  if (!isBucketName(bucket) || /[?#]/.test(rest)) return undefined;
  if (rest === '') return { bucket, prefix: '', url: `gs://${bucket}` };
  const path = rest.replace(/\/$/, '');
  if (objectKeyFault(path) !== undefined) return undefined;
  if (REGION.test(bucket)) {
    throw new ConfigurationInvalid(
      `${JSON.stringify(location)} names a region, and gs:// takes none: give gs://bucket or gs://bucket/prefix`,
    );
  }
  return { bucket, prefix: `${path}/`, url: `gs://${bucket}/${path}` };
}

function isBucketName(name: string): boolean {
  if (name.length < MIN_BUCKET || name.length > MAX_BUCKET || IP_ADDRESS.test(name)) return false;
  return name.split('.').every((label) => label.length <= MAX_LABEL && LABEL.test(label));
}
