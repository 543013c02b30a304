import { expect, it } from 'vitest';
import { parseGcsLocation } from '../../../../common/backends/storage/gcs-location.ts';
import { openGcs } from '../../../../common/backends/storage/gcs.ts';
import { ConfigurationInvalid } from '../../../../common/errors.ts';

it.each([
  ['gs://bucket', { bucket: 'bucket', prefix: '', url: 'gs://bucket' }],
  ['gs://bucket/', { bucket: 'bucket', prefix: '', url: 'gs://bucket' }],
  ['GS://bucket/a', { bucket: 'bucket', prefix: 'a/', url: 'gs://bucket/a' }],
  ['gs://bucket/a/b c/', { bucket: 'bucket', prefix: 'a/b c/', url: 'gs://bucket/a/b c' }],
  ['gs://b_1-2', { bucket: 'b_1-2', prefix: '', url: 'gs://b_1-2' }],
  ['gs://data.example.org/x', { bucket: 'data.example.org', prefix: 'x/', url: 'gs://data.example.org/x' }],
  ['gs://us-west1', { bucket: 'us-west1', prefix: '', url: 'gs://us-west1' }],
  ['gs://prio-ingestion1/x', { bucket: 'prio-ingestion1', prefix: 'x/', url: 'gs://prio-ingestion1/x' }],
])('reads %j', (location, expected) => {
  expect(parseGcsLocation(location)).toEqual(expected);
});

it.each([
  'gs:',
  'gs://',
  'gs:///a',
  'gs:bucket',
  's3://bucket',
  'gs://ab',
  `gs://${'a'.repeat(64)}`,
  `gs://${'abc.'.repeat(56)}`,
  'gs://Bucket',
  'gs://-bucket',
  'gs://bucket-',
  'gs://a..b',
  'gs://a.-b',
  'gs://10.0.0.1',
  'gs://user@bucket',
  'gs://user:password@bucket/a',
  'gs://bucket:80/a',
  'gs://bucket?a',
  'gs://bucket/a?b',
  'gs://bucket/a#b',
  'gs://bucket//',
  'gs://bucket//a',
  'gs://bucket/a//b',
  'gs://bucket/a//',
  'gs://bucket/./a',
  'gs://bucket/a/..',
  'gs://bucket/ä',
  'gs://bucket/a\nb',
])('leaves %j, which is of another form', (location) => {
  expect(parseGcsLocation(location)).toBeUndefined();
  expect(openGcs(location, {})).toBeUndefined();
});

it.each(['gs://us-west1/bucket', 'gs://northamerica-northeast1/bucket/a', 'gs://europe-west12/bucket'])(
  'tells that %j has a region that does not belong there',
  (location) => {
    const open = (): unknown => openGcs(location, {});
    expect(open).toThrow(ConfigurationInvalid);
    expect(open).toThrow('gs:// takes none');
  },
);

it.each([
  'name@project.iam.gserviceaccount.com',
  '1234-compute@developer.gserviceaccount.com',
  'project@appspot.gserviceaccount.com',
])('takes the identity %j', (identity) => {
  expect(openGcs('gs://bucket', { identity })?.url).toBe('gs://bucket');
});

it.each(['', 'arn:aws:iam::123456789012:role/name', 'somebody@example.org', 'x y@p.iam.gserviceaccount.com'])(
  'refuses the identity %j',
  (identity) => {
    const open = (): unknown => openGcs('gs://bucket', { identity });
    expect(open).toThrow(ConfigurationInvalid);
    expect(open).toThrow('e-mail address of a service account');
  },
);
