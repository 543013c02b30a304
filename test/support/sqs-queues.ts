import { CreateTopicCommand, SetSubscriptionAttributesCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';

/** A topic with a queue that gets its messages as they are. */
export interface TopicWithQueue {
  readonly topicArn: string;
  readonly queueUrl: string;
}

/** Clients of a stand-in for AWS that the environment tells of, and what tests make there. */
export class SqsQueues {
  readonly sns: SNSClient;
  readonly sqs: SQSClient;

  constructor(region: string) {
    this.sns = new SNSClient({ region });
    this.sqs = new SQSClient({ region });
  }

  /** @param deadLetters where a message goes after its last delivery, and which that is */
  async create(
    name: string,
    deadLetters?: { readonly queue: string; readonly maxDeliveries: number },
  ): Promise<TopicWithQueue> {
    const { TopicArn: topicArn = '' } = await this.sns.send(new CreateTopicCommand({ Name: name }));
    const arnOf = (queue: string): string => topicArn.replace(':sns:', ':sqs:').replace(name, queue);
    const RedrivePolicy =
      deadLetters &&
      JSON.stringify({ deadLetterTargetArn: arnOf(deadLetters.queue), maxReceiveCount: deadLetters.maxDeliveries });
    const { QueueUrl: queueUrl = '' } = await this.sqs.send(
      new CreateQueueCommand({ QueueName: name, ...(RedrivePolicy ? { Attributes: { RedrivePolicy } } : {}) }),
    );
    const { SubscriptionArn } = await this.sns.send(
      new SubscribeCommand({
        TopicArn: topicArn,
        Protocol: 'sqs',
        Endpoint: arnOf(name),
        ReturnSubscriptionArn: true,
      }),
    );
    await this.sns.send(
      new SetSubscriptionAttributesCommand({
        SubscriptionArn,
        AttributeName: 'RawMessageDelivery',
        AttributeValue: 'true',
      }),
    );
    return { topicArn, queueUrl };
  }

  /** Takes what is there now for good. */
  async drain(QueueUrl: string): Promise<Buffer[]> {
    const { Messages = [] } = await this.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    for (const { ReceiptHandle } of Messages)
      await this.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    return Messages.map(({ Body = '' }) => Buffer.from(Body));
  }

  close(): void {
    this.sns.destroy();
    this.sqs.destroy();
  }
}
