import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import pLimit from 'p-limit';

/** A topic with a queue that gets its messages as they are. */
export interface TopicWithQueue {
  readonly topicArn: string;
  readonly queueUrl: string;
}

const SENT_AT_ONCE = 10;

/** Clients of a stand-in for AWS, and what tests make there. */
export class SqsQueues {
  readonly sns: SNSClient;
  readonly sqs: SQSClient;

  /** @param url of the stand-in, with any credentials; by default the environment tells */
  constructor(region: string, url?: string) {
    const credentials = { accessKeyId: 'id', secretAccessKey: 'key' };
    const settings = { region, ...(url === undefined ? {} : { endpoint: url, credentials }) };
    this.sns = new SNSClient(settings);
    this.sqs = new SQSClient(settings);
  }

  /** @param deadLetters the queue where a message goes after its last delivery, and which that is */
  async create(
    name: string,
    deadLetters?: { readonly queue: string; readonly maxDeliveries: number },
  ): Promise<TopicWithQueue> {
    const { TopicArn: topicArn = '' } = await this.sns.send(new CreateTopicCommand({ Name: name }));
    const arnOf = (queue: string): string => topicArn.replace(':sns:', ':sqs:').replace(name, queue);
    const policy = deadLetters && {
      deadLetterTargetArn: arnOf(deadLetters.queue),
      maxReceiveCount: deadLetters.maxDeliveries,
    };
    const queueUrl = await this.createQueue(name, policy ? { RedrivePolicy: JSON.stringify(policy) } : {});
    await this.sns.send(
      new SubscribeCommand({
        TopicArn: topicArn,
        Protocol: 'sqs',
        Endpoint: arnOf(name),
        Attributes: { RawMessageDelivery: 'true' },
      }),
    );
    return { topicArn, queueUrl };
  }

  /** One without a topic. @returns its URL */
  async createQueue(name: string, attributes: Readonly<Record<string, string>> = {}): Promise<string> {
    const { QueueUrl: url = '' } = await this.sqs.send(
      new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
    );
    return url;
  }

  /** Past the topic, which takes smaller messages only. @param bodies UTF-8 */
  async send(QueueUrl: string, bodies: readonly Uint8Array[]): Promise<void> {
    const limit = pLimit(SENT_AT_ONCE);
    await limit.map(bodies, (body) =>
      this.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: Buffer.from(body).toString() })),
    );
  }

  /**
   * Takes ten messages at most for good.
   * @param waitSeconds for the first of them
   */
  async drain(QueueUrl: string, waitSeconds = 0): Promise<Buffer[]> {
    const { Messages = [] } = await this.sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: waitSeconds }),
    );
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
    if (Entries.length > 0) await this.sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    return Messages.map(({ Body = '' }) => Buffer.from(Body));
  }

  close(): void {
    this.sns.destroy();
    this.sqs.destroy();
  }
}
