import { describe, expect, it } from 'vitest';
import { openS3 } from '../../../../common/backends/storage/s3.ts';
import { parseS3Location } from '../../../../common/backends/storage/s3-location.ts';

describe('a location of S3', () => {
  it.each([
    ['s3://eu-west-1/bucket', '', 's3://eu-west-1/bucket'],
    ['S3://eu-west-1/bucket/', '', 's3://eu-west-1/bucket'],
    ['s3://us-gov-west-1/a.b-c/p', 'p/', 's3://us-gov-west-1/a.b-c/p'],
    ['s3://eusc-de-east-1/012/p/q r/', 'p/q r/', 's3://eusc-de-east-1/012/p/q r'],
    ['s3://eu-west-1/bucket/a%20b', 'a%20b/', 's3://eu-west-1/bucket/a%20b'],
  ])('%j has the root %j', (location, root, url) => {
    expect(parseS3Location(location)).toMatchObject({ root, url });
  });

  it.each([
    's3://bucket',
    's3://eu-west-1',
    's3://eu-west-1/',
    's3:///bucket',
    's3:/eu-west-1/bucket',
    'gs://eu-west-1/bucket',
    's3://EU-WEST-1/bucket',
    's3://somewhere/bucket',
    's3://key:secret@eu-west-1/bucket',
    's3://eu-west-1/ab',
    `s3://eu-west-1/${'b'.repeat(64)}`,
    's3://eu-west-1/Bucket',
    's3://eu-west-1/buck_et',
    's3://eu-west-1/-bucket',
    's3://eu-west-1/bucket.',
    's3://eu-west-1/bu..cket',
    's3://eu-west-1/127.0.0.1',
    's3://eu-west-1/bucket--euw1-az1--x-s3',
    's3://eu-west-1/bucket//',
    's3://eu-west-1/bucket//p',
    's3://eu-west-1/bucket/p//q',
    's3://eu-west-1/bucket/./p',
    's3://eu-west-1/bucket/p/..',
    's3://eu-west-1/bucket/p?versionId=1',
    's3://eu-west-1/bucket/p#q',
    's3://eu-west-1/bucket?p',
    's3://eu-west-1/bucket/ä',
    's3://eu-west-1/bucket/p\n',
    `s3://eu-west-1/bucket/${'p'.repeat(1024)}`,
  ])('is not %j', (location) => {
    expect(parseS3Location(location)).toBeUndefined();
    expect(openS3(location, {})).toBeUndefined();
  });
});
