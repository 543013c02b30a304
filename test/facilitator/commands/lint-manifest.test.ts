import { writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { runFacilitator } from '../../support/run-facilitator.ts';
import { temporaryDirectory } from '../../support/temp-directory.ts';
import { ingestor, json, KEY, processorSpecific } from '../manifest/manifests.ts';

const root = temporaryDirectory();
const path = (): string => `${root()}/manifest.json`;
const lint = (kind: string, ...more: readonly string[]): ReturnType<typeof runFacilitator> =>
  runFacilitator(['lint-manifest', '--manifest-kind', kind, ...more]);

describe('lint-manifest', () => {
  beforeEach(() => writeFileSync(path(), json(processorSpecific())));

  it('ends with status 0 and prints nothing for a sound manifest', async () => {
    const { status, stdout } = await lint('data-share-processor-specific', '--manifest-path', path());
    expect([status, stdout]).toEqual([0, '']);
  });

  it('prints a line for each finding and ends with status 1', async () => {
    const expired = { 'public-key': KEY.pem, expiration: '2020-01-01T00:00:00Z' };
    writeFileSync(path(), json(ingestor({ a: expired, b: { 'public-key': 'x', expiration: 'y' } })));
    const { status, stdout, stderr } = await lint('ingestor-global', '--manifest-path', path());
    expect(stdout.split('\n')).toEqual([
      `${path()}: batch-signing-public-keys."a".expiration is past: 2020-01-01T00:00:00.000Z`,
      `${path()}: batch-signing-public-keys."b".public-key is no PEM of a PUBLIC KEY`,
      `${path()}: batch-signing-public-keys."b".expiration is no date and time of RFC 3339`,
      '',
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('E_MANIFEST_UNSOUND');
  });

  it.each(['gs://B', 's3://bucket', 'gs://'])('finds the bucket %s', async (bucket) => {
    writeFileSync(path(), json({ ...processorSpecific(), 'ingestion-bucket': bucket }));
    const { status, stdout } = await lint('data-share-processor-specific', '--manifest-path', path());
    expect([status, stdout]).toEqual([1, expect.stringMatching(/: ingestion-bucket is no storage location: .+\n$/)]);
  });

  it('ends with status 1 if there is no manifest', async () => {
    const { status, stderr } = await lint('portal-global', '--manifest-path', `${root()}/none`);
    expect(status).toBe(1);
    expect(stderr).toContain('E_MANIFEST_UNAVAILABLE');
  });

  it.each([
    [['ingestor-global'], 'missing --manifest-base-url or --manifest-path'],
    [['x', '--manifest-path', 'a'], '--manifest-kind: "x" is none of ingestor-global'],
    [['ingestor-specific', '--manifest-base-url', 'https://a.example'], 'missing --instance'],
    [
      ['portal-global', '--manifest-base-url', 'http://a.example'],
      '--manifest-base-url: "http://a.example" is no https URL',
    ],
    [['portal-global', '--manifest-base-url', 'https://a.example/?x=1'], 'has something after its path'],
    [['portal-global', '--manifest-base-url', 'https://me:x@a.example/'], 'has a user name or password'],
  ])('refuses %j', async ([kind = '', ...more], message) => {
    const { status, stderr } = await lint(kind, ...more);
    expect(status).toBe(64);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('me:x');
  });
});
