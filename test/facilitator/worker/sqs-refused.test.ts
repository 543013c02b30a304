import { describe, expect, it } from 'vitest';
import { scriptedServer } from '../../common/backends/credentials/scripted-server.ts';
import { FACILITATOR, run } from '../../support/child-process.ts';
import { awsEnvironment } from '../../support/aws-stand-ins.ts';
import { commandLine } from '../../support/command-options.ts';
import { logLines } from '../../support/log-lines.ts';
import { temporaryDirectory } from '../../support/temp-directory.ts';
import { workerOptions } from './worker-process.ts';

const root = temporaryDirectory();

describe('a worker that SQS refuses', () => {
  it.each(['intake-batch-worker', 'aggregate-worker'] as const)('ends with 77 before any work: %s', async (command) => {
    await using sqs = await scriptedServer(() => ({
      status: 403,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify({ __type: 'com.amazon.coral.service#AccessDeniedException', message: 'not you' }),
    }));
    const options = {
      ...workerOptions(command, root()),
      'task-queue-kind': 'aws-sqs',
      'task-queue-name': `${sqs.url}/123456789012/tasks`,
      'rejected-topic': 'arn:aws:sns:eu-west-1:123456789012:rejected',
      'aws-sqs-region': 'eu-west-1',
    };
    const { status, stderr } = await run(FACILITATOR, commandLine(command, options), { env: awsEnvironment(sqs.url) });
    expect(status).toBe(77);
    const errors = logLines(stderr).filter(({ severity }) => severity === 'ERROR');
    expect(errors).toMatchObject([{ error_code: 'E_PERMISSION_DENIED' }]);
    for (const told of [`${sqs.url}/123456789012/tasks`, 'sqs:ReceiveMessage', 'sqs:GetQueueAttributes']) {
      expect(errors[0]).toMatchObject({ error: expect.stringContaining(told) });
    }
    expect(sqs.seen.map(({ headers }) => headers['x-amz-target'])).toEqual(['AmazonSQS.GetQueueAttributes']);
  });
});
