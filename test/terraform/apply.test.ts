import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetPublicAccessBlockCommand,
  ListBucketsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { ListTopicsCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SQSClient,
  type Message,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../services/service.ts';
import { cannotRun } from '../support/skip.ts';
import { startLocalstack } from '../services/localstack.ts';
import { openWorkspace, withoutTerraform } from './terraform.ts';

/*
 * The provider waits long for queues and lifecycle rules to be as it made them, some minutes in all, so that this is
 * for CI, or whoever sets DSP_TERRAFORM_APPLY.
 */
const isWanted = process.env['CI'] === 'true' || process.env['DSP_TERRAFORM_APPLY'] === 'true';
const cannotApply =
  cannotRun(isWanted, 'terraform apply: takes minutes, for CI or DSP_TERRAFORM_APPLY=true') ||
  withoutTerraform('terraform apply', 'localstack');

const LIMIT_MS = 600_000;
const REGION = 'eu-west-1';
const NAME = 'prio-prod-us-ct-g-enpa';
const BUCKETS = ['ingestion', 'peer-validation', 'own-validation'].map((bucket) => `${NAME}-${bucket}`);
const BODY = '{"trace-id":"9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b","aggregation-id":"kittens-seen"}';

function configuration(url: string): string {
  const endpoints = ['sns', 'sqs', 's3', 'sts', 'iam'].map((service) => `    ${service} = "${url}"\n`).join('');
  return `
provider "aws" {
  region                      = "${REGION}"
  access_key                  = "id"
  secret_key                  = "key"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  s3_use_path_style           = true

  endpoints {
${endpoints}  }
}

module "task_queue" {
  source = "../modules/aws/task-queue"
  name   = "prod-us-ct-g-enpa-intake"
}

module "buckets" {
  source = "../modules/aws/buckets"
  name   = "${NAME}"

  program_roles = {
    publisher = "arn:aws:iam::000000000000:role/publisher"
    intake    = "arn:aws:iam::000000000000:role/intake"
    aggregate = "arn:aws:iam::000000000000:role/aggregate"
  }

  ingestion_writers       = ["arn:aws:iam::210987654321:role/uploader"]
  peer_validation_writers = ["arn:aws:iam::098765432109:root"]
}

output "task_queue" {
  value = module.task_queue
}
`;
}

interface TaskQueue {
  readonly topic_arn: string;
  readonly queue_url: string;
  readonly rejected_topic_arn: string;
  readonly rejected_queue_url: string;
  readonly dead_letter_queue_url: string;
}

describe.skipIf(cannotApply)('what terraform makes at AWS', () => {
  const workspace = openWorkspace();
  let service: Service;
  let made: TaskQueue;
  let sns: SNSClient;
  let sqs: SQSClient;
  let s3: S3Client;

  beforeAll(async () => {
    service = await startLocalstack(['sns', 'sqs', 's3', 'sts', 'iam']);
    const client = {
      region: REGION,
      endpoint: service.url,
      credentials: { accessKeyId: 'id', secretAccessKey: 'key' },
    };
    sns = new SNSClient(client);
    sqs = new SQSClient(client);
    s3 = new S3Client({ ...client, forcePathStyle: true });
    mkdirSync(join(workspace.root, 'apply'));
    writeFileSync(join(workspace.root, 'apply', 'main.tf'), configuration(service.url));
    await workspace.succeed('apply', 'init', '-input=false');
    await workspace.succeed('apply', 'apply', '-auto-approve', '-input=false', '-no-color');
    const { stdout } = await workspace.succeed('apply', 'output', '-json');
    made = (JSON.parse(stdout) as { readonly task_queue: { readonly value: TaskQueue } }).task_queue.value;
  }, LIMIT_MS);

  afterAll(async () => {
    for (const client of [sns, sqs, s3]) client?.destroy();
    await service?.[Symbol.asyncDispose]();
    workspace[Symbol.dispose]();
  });

  const receive = async (queue: string): Promise<Message | undefined> => {
    const request = { QueueUrl: queue, WaitTimeSeconds: 5, MessageSystemAttributeNames: ['All' as const] };
    return (await sqs.send(new ReceiveMessageCommand(request))).Messages?.[0];
  };

  it('delivers a task as it was published, and to the dead letters after five deliveries', async () => {
    await sns.send(new PublishCommand({ TopicArn: made.topic_arn, Message: BODY }));
    for (let delivery = 1; delivery <= 5; delivery++) {
      const message = await receive(made.queue_url);
      expect(message).toMatchObject({ Body: BODY, Attributes: { ApproximateReceiveCount: String(delivery) } });
      await sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: made.queue_url,
          ReceiptHandle: message!.ReceiptHandle,
          VisibilityTimeout: 0,
        }),
      );
    }
    expect(await receive(made.queue_url)).toBeUndefined();
    expect(await receive(made.dead_letter_queue_url)).toMatchObject({ Body: BODY });
  });

  it('keeps rejected tasks as they were', async () => {
    await sns.send(new PublishCommand({ TopicArn: made.rejected_topic_arn, Message: BODY }));
    expect(await receive(made.rejected_queue_url)).toMatchObject({ Body: BODY });
  });

  it('holds tasks for ten minutes, encrypted', async () => {
    const request = { QueueUrl: made.queue_url, AttributeNames: ['All' as const] };
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand(request));
    expect(Attributes).toMatchObject({ VisibilityTimeout: '600', SqsManagedSseEnabled: 'true' });
  });

  it.each(BUCKETS)('has %s as it should be', async (Bucket) => {
    const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect(Rules).toMatchObject([{ Status: 'Enabled', Expiration: { Days: 7 } }]);
    const { PublicAccessBlockConfiguration } = await s3.send(new GetPublicAccessBlockCommand({ Bucket }));
    expect(PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    const { ServerSideEncryptionConfiguration } = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
    expect(ServerSideEncryptionConfiguration?.Rules).toHaveLength(1);
    const { OwnershipControls } = await s3.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    expect(OwnershipControls?.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    const { Policy = '' } = await s3.send(new GetBucketPolicyCommand({ Bucket }));
    expect(Policy).toContain('NotWithoutTls');
    expect(Policy.includes('CreatedOnce')).toBe(Bucket.endsWith('own-validation'));
  });

  it('is all gone after terraform destroy', { timeout: LIMIT_MS }, async () => {
    await workspace.succeed('apply', 'destroy', '-auto-approve', '-input=false', '-no-color');
    expect((await s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    expect((await sqs.send(new ListQueuesCommand({}))).QueueUrls ?? []).toEqual([]);
    expect((await sns.send(new ListTopicsCommand({}))).Topics ?? []).toEqual([]);
  });
});
