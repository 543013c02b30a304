import { MAX_KEY_BYTES, objectKeyFault } from '../../domain/object-key.ts';

/** Where in Amazon S3 a storage is. */
export interface S3Location {
  readonly region: string;
  readonly bucket: string;
  /** What all keys of the storage begin with in the bucket: `''`, or with a slash at the end. */
  readonly root: string;
  /** `s3://region/bucket[/prefix]` */
  readonly url: string;
}

/** Scheme, region, bucket, the rest. */
const FORM = /^s3:\/\/([^/]+)\/([^/]+)(?:\/(.*))?$/i;
const REGION = /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/;
const BUCKET = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const IP_ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;
/** Directory buckets, which list in no order. */
const DIRECTORY_BUCKET = /--x-s3$/;

/**
 * Reads `s3://region/bucket[/prefix]`; the prefix is taken as it is, without percent-decoding.
 * @returns `undefined` if the location is not of the form
 */
export function parseS3Location(location: string): S3Location | undefined {
  const [, region = '', bucket = '', path = ''] = FORM.exec(location) ?? [];
  if (!REGION.test(region) || !isBucketName(bucket)) return undefined;
  const prefix = path.replace(/\/$/, '');
  // A query or fragment would silently become a part of all keys.
  if (path !== '' && (objectKeyFault(prefix) !== undefined || /[?#]/.test(prefix))) return undefined;
  const root = prefix === '' ? '' : `${prefix}/`;
  if (root.length >= MAX_KEY_BYTES) return undefined;
  return { region, bucket, root, url: `s3://${region}/${bucket}${prefix === '' ? '' : `/${prefix}`}` };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function isBucketName(name: string): boolean {
  return BUCKET.test(name) && !IP_ADDRESS.test(name) && !DIRECTORY_BUCKET.test(name);
}
