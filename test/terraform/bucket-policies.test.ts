import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aggregateClaim, aggregateMarker, intakeMarker, leaseKey } from '../../common/domain/marker.ts';
import { COPY_PREFIX } from '../../facilitator/publish-sum-part.ts';
import { decide, type Statement } from './policy-evaluation.ts';
import { openWorkspace, withoutTerraform } from './terraform.ts';

const MODULE = 'modules/aws/buckets';
const LIMIT_MS = 120_000;

const ROLE = 'arn:aws:iam::123456789012:role/';
const PUBLISHER = `${ROLE}publisher`;
const INTAKE = `${ROLE}intake`;
const AGGREGATE = `${ROLE}aggregate`;
const OTHER = `${ROLE}other`;
const UPLOADER = 'arn:aws:iam::210987654321:role/uploader';
const PEER = 'arn:aws:iam::098765432109:role/intake';

const WINDOW = { begin: new Date('2026-11-20T08:00:00Z'), end: new Date('2026-11-20T16:00:00Z') };
const BATCH = { id: '9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b', time: new Date('2026-11-20T10:30:00Z') };
// An aggregation may be called like this, too.
const CLAIM = aggregateClaim('aggregate-kittens', WINDOW);
const LEASE = leaseKey('aggregate-kittens');
const INTAKE_MARKER = intakeMarker('kittens', BATCH);
const AGGREGATE_MARKER = aggregateMarker('kittens', WINDOW);
const COPY = `${COPY_PREFIX}us-ct-g-enpa/kittens/202611200800-202611201600.sum_1.sig`;
const VALIDATION = 'kittens/2026/11/20/10/30/9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b.validity_1';

type Bucket = 'ingestion' | 'peer-validation' | 'own-validation';
type Condition = 'If-None-Match' | 'If-Match' | undefined;

const RUN = `
run "policies" {
  command = apply

  variables {
    name                    = "prio-prod-us-ct-g-enpa"
    ingestion_writers       = ["${UPLOADER}"]
    peer_validation_writers = ["arn:aws:iam::098765432109:root"]
    program_roles           = { publisher = "${PUBLISHER}", intake = "${INTAKE}", aggregate = "${AGGREGATE}" }
  }
}
`;

describe.skipIf(withoutTerraform('the bucket policies of terraform/'))(
  'the policies of terraform/modules/aws/buckets',
  () => {
    const workspace = openWorkspace();
    const policies = new Map<string, readonly Statement[]>();
    afterAll(() => workspace[Symbol.dispose]());

    beforeAll(async () => {
      const mocks = 'mock_provider "aws" {\n  source = "../../../testing/aws"\n}\n';
      writeFileSync(join(workspace.root, MODULE, 'tests', 'policies.tftest.hcl'), mocks + RUN);
      await workspace.succeed(MODULE, 'init', '-backend=false', '-input=false');
      const { stdout } = await workspace.succeed(
        MODULE,
        'test',
        '-filter=tests/policies.tftest.hcl',
        '-json',
        '-verbose',
      );
      const lines = stdout.split('\n').filter((line) => line !== '');
      const states = lines.map((line) => JSON.parse(line) as { readonly test_state?: TestState });
      const resources = states.flatMap(({ test_state }) => test_state?.root_module.resources ?? []);
      for (const { type, index, values } of resources) {
        if (type !== 'aws_s3_bucket_policy') continue;
        policies.set(index, (JSON.parse(values.policy) as { readonly Statement: readonly Statement[] }).Statement);
      }
    }, LIMIT_MS);

    const asked = (bucket: Bucket, principal: string, action: string, key: string, context = {}): string =>
      decide(policies.get(bucket)!, {
        principal,
        action,
        resource: key === '' ? 'arn:aws:s3:::mock' : `arn:aws:s3:::mock/${key}`,
        context: { 'aws:PrincipalArn': principal, 'aws:SecureTransport': 'true', ...context },
      });

    const put = (bucket: Bucket, principal: string, key: string, condition?: Condition, isCreation = true): string =>
      asked(bucket, principal, 's3:PutObject', key, {
        's3:ObjectCreationOperation': String(isCreation),
        ...(condition === undefined ? {} : { [`s3:${condition.toLowerCase()}`]: 'x' }),
      });

    it.each<[string, string, string, string, Condition]>([
      ['the publisher puts an intake marker with If-None-Match', 'allowed', PUBLISHER, INTAKE_MARKER, 'If-None-Match'],
      [
        'the publisher puts an aggregate marker with If-None-Match',
        'allowed',
        PUBLISHER,
        AGGREGATE_MARKER,
        'If-None-Match',
      ],
      ['the publisher puts a marker', 'denied: CreatedOnce', PUBLISHER, INTAKE_MARKER, undefined],
      ['the publisher puts a marker with If-Match', 'denied: CreatedOnce', PUBLISHER, INTAKE_MARKER, 'If-Match'],
      ['the publisher puts a claim with If-None-Match', 'allowed', PUBLISHER, CLAIM, 'If-None-Match'],
      ['the publisher puts a claim with If-Match', 'denied: CreatedOnce', PUBLISHER, CLAIM, 'If-Match'],
      ['the publisher puts a claim', 'denied: CreatedOnce', PUBLISHER, CLAIM, undefined],
      ['the publisher puts a lease with If-None-Match', 'allowed', PUBLISHER, LEASE, 'If-None-Match'],
      ['the publisher puts a lease with If-Match', 'allowed', PUBLISHER, LEASE, 'If-Match'],
      ['the publisher puts a lease', 'denied: ReplacedIfUnchanged', PUBLISHER, LEASE, undefined],
      ['the publisher puts a validation batch', 'not allowed', PUBLISHER, VALIDATION, undefined],
      ['intake puts a validation batch', 'allowed', INTAKE, VALIDATION, undefined],
      ['intake puts a result', 'allowed', INTAKE, 'results/intake/2026-11-20/x-1.json', undefined],
      [
        'intake puts a marker with If-None-Match',
        'denied: OnlyThePublisherPlans',
        INTAKE,
        INTAKE_MARKER,
        'If-None-Match',
      ],
      ['aggregate puts a claim with If-None-Match', 'denied: OnlyThePublisherPlans', AGGREGATE, CLAIM, 'If-None-Match'],
      ['aggregate puts a copy of a sum part with If-None-Match', 'allowed', AGGREGATE, COPY, 'If-None-Match'],
      ['aggregate puts a copy of a sum part', 'denied: CreatedOnce', AGGREGATE, COPY, undefined],
      ['another role puts a validation batch', 'denied: NobodyElse', OTHER, VALIDATION, undefined],
    ])('%s: %s', (_, decision, principal, key, condition) => {
      expect(put('own-validation', principal, key, condition)).toBe(decision);
    });

    it('lets large claims be uploaded in parts, with the condition at their completion', () => {
      expect(put('own-validation', PUBLISHER, CLAIM, undefined, false)).toBe('allowed');
      expect(put('own-validation', PUBLISHER, CLAIM, 'If-None-Match', true)).toBe('allowed');
    });

    it.each<[string, Bucket, string, string, string]>([
      ['the ingestor uploads', 'ingestion', UPLOADER, 's3:PutObject', 'allowed'],
      ['the ingestor does not read', 'ingestion', UPLOADER, 's3:GetObject', 'not allowed'],
      ['the ingestor has no other bucket', 'peer-validation', UPLOADER, 's3:PutObject', 'denied: NobodyElse'],
      ['the peer writes', 'peer-validation', PEER, 's3:PutObject', 'allowed'],
      ['the peer has no other bucket', 'ingestion', PEER, 's3:GetObject', 'denied: NobodyElse'],
      ['the peer does not see what we think', 'own-validation', PEER, 's3:GetObject', 'denied: NobodyElse'],
      ['intake reads', 'ingestion', INTAKE, 's3:GetObject', 'allowed'],
      ['intake does not read what the peer thinks', 'peer-validation', INTAKE, 's3:GetObject', 'denied: NobodyElse'],
      ['aggregate reads ingestion batches', 'ingestion', AGGREGATE, 's3:GetObject', 'allowed'],
      ['aggregate reads the peer’s', 'peer-validation', AGGREGATE, 's3:GetObject', 'allowed'],
      ['aggregate reads our own', 'own-validation', AGGREGATE, 's3:GetObject', 'allowed'],
      ['the publisher reads no batches', 'ingestion', PUBLISHER, 's3:GetObject', 'denied: NobodyElse'],
      ['nobody else of the account reads', 'ingestion', OTHER, 's3:GetObject', 'denied: NobodyElse'],
    ])('%s', (_, bucket, principal, action, decision) => {
      expect(asked(bucket, principal, action, 'kittens/2026/11/20/10/30/x')).toBe(decision);
    });

    it('lets the publisher list all three buckets, and read claims', () => {
      for (const bucket of policies.keys())
        expect(asked(bucket as Bucket, PUBLISHER, 's3:ListBucket', '')).toBe('allowed');
      expect(asked('own-validation', PUBLISHER, 's3:GetObject', LEASE)).toBe('allowed');
    });

    it('lets nobody in without TLS', () => {
      const plain = { 'aws:SecureTransport': 'false' };
      expect(asked('ingestion', UPLOADER, 's3:PutObject', 'x', plain)).toBe('denied: NotWithoutTls');
      expect(asked('ingestion', INTAKE, 's3:GetObject', 'x', plain)).toBe('denied: NotWithoutTls');
    });
  },
);

/** The state after a run. */
interface TestState {
  readonly root_module: {
    readonly resources: readonly {
      readonly type: string;
      readonly index: string;
      readonly values: { readonly policy: string };
    }[];
  };
}
