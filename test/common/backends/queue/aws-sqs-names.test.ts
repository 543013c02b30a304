import { describe, expect, it } from 'vitest';
import { openSqsTaskQueue } from '../../../../common/backends/queue/aws-sqs.ts';
import { ConfigurationInvalid, UsageError } from '../../../../common/errors.ts';

const clock = (): Date => new Date(0);

describe('the name', () => {
  it.each([
    'https://sqs.eu-west-1.amazonaws.com/123456789012/intake-tasks',
    'https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/A_b-9',
    'https://sqs.cn-north-1.amazonaws.com.cn/123456789012/x',
    'https://eu-west-1.queue.amazonaws.com/123456789012/intake-tasks',
    'http://sqs.eu-west-1.localhost.localstack.cloud:4566/000000000000/intake-tasks',
  ])('may be %s, which has the region', (name) => {
    expect(openSqsTaskQueue(name, { clock }).url).toBe(name);
  });

  it.each(['http://127.0.0.1:5000/123456789012/tasks', 'https://queue.amazonaws.com/123456789012/tasks'])(
    'may be %s, with a region',
    (name) => {
      expect(openSqsTaskQueue(name, { clock, awsSqsRegion: 'eu-west-1' }).url).toBe(name);
      expect(() => openSqsTaskQueue(name, { clock })).toThrow(UsageError);
      expect(() => openSqsTaskQueue(name, { clock })).toThrow('--aws-sqs-region');
    },
  );

  it.each([
    '',
    'intake-tasks',
    'arn:aws:sqs:eu-west-1:123456789012:intake-tasks',
    'https://sqs.eu-west-1.amazonaws.com/12/tasks',
    'https://sqs.eu-west-1.amazonaws.com/123456789012/',
    'https://sqs.eu-west-1.amazonaws.com/123456789012/tasks.fifo',
    'https://sqs.eu-west-1.amazonaws.com/123456789012/tasks?a=b',
    'ftp://sqs.eu-west-1.amazonaws.com/123456789012/tasks',
  ])('is not %j', (name) => {
    for (const awsSqsRegion of [undefined, 'eu-west-1']) {
      const open = (): unknown => openSqsTaskQueue(name, { clock, awsSqsRegion });
      expect(open).toThrow(UsageError);
      expect(open).toThrow(`${JSON.stringify(name)} is no URL of an SQS standard queue, like https://sqs.`);
    }
  });

  it('must be of the region that is set', () => {
    const name = 'https://sqs.eu-west-1.amazonaws.com/123456789012/tasks';
    const openThere = (): unknown => openSqsTaskQueue(name, { clock, awsSqsRegion: 'us-east-1' });
    expect(openThere).toThrow(ConfigurationInvalid);
    expect(openThere).toThrow(`${name} is not in the region us-east-1, which --aws-sqs-region gives`);
  });

  it('is not repeated with a password in it', () => {
    const name = 'https://user:secret@sqs.eu-west-1.amazonaws.com/123456789012/tasks';
    expect(() => openSqsTaskQueue(name, { clock })).toThrow('https://…@sqs.eu-west-1.amazonaws.com');
  });

  it('of the rejected topic is an ARN of SNS, of any region', () => {
    const name = 'https://sqs.eu-west-1.amazonaws.com/123456789012/tasks';
    const open = (rejectedTopic: string): string => openSqsTaskQueue(name, { clock, rejectedTopic }).url;
    expect(() => open('rejected')).toThrow('is no ARN of an SNS standard topic');
    expect(open('arn:aws:sns:us-east-1:123456789012:rejected')).toBe(name);
  });
});
