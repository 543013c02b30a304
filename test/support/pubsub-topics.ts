/** A subscription to be, by ids in the project `project`. */
export interface SubscriptionPlan {
  readonly topic: string;
  readonly id: string;
  /** Where a message goes after its last delivery, and which that is. */
  readonly deadLetters?: { readonly topic: string; readonly maxDeliveries: number };
  readonly exactlyOnce?: boolean;
}

export interface PubSubTopics {
  createTopic(id: string): Promise<void>;
  createSubscription(plan: SubscriptionPlan): Promise<void>;
  publish(topic: string, body: Uint8Array, attributes?: Readonly<Record<string, string>>): Promise<void>;
  /** Takes what is there now for good. */
  drain(subscription: string): Promise<Buffer[]>;
}

/** Talks REST to the Pub/Sub emulator, so as not to trust Google's library, or ours, with both ends. */
export function pubSubTopics(emulatorUrl: string): PubSubTopics {
  const call = async (method: 'PUT' | 'POST', path: string, body: unknown): Promise<unknown> => {
    const answer = await fetch(`${emulatorUrl}/v1/projects/project/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  return {
    createTopic: async (id) => void (await call('PUT', `topics/${id}`, {})),
    createSubscription: async ({ topic, id, deadLetters, exactlyOnce }) => {
      const deadLetterPolicy = deadLetters && {
        deadLetterTopic: `projects/project/topics/${deadLetters.topic}`,
        maxDeliveryAttempts: deadLetters.maxDeliveries,
      };
      await call('PUT', `subscriptions/${id}`, {
        topic: `projects/project/topics/${topic}`,
        ackDeadlineSeconds: 600,
        ...(deadLetterPolicy ? { deadLetterPolicy } : {}),
        ...(exactlyOnce ? { enableExactlyOnceDelivery: true } : {}),
      });
    },
    publish: async (topic, body, attributes = {}) => {
      await call('POST', `topics/${topic}:publish`, {
        messages: [{ data: Buffer.from(body).toString('base64'), attributes }],
      });
    },
    drain: async (subscription) => {
      const path = `subscriptions/${subscription}`;
      const answer = (await call('POST', `${path}:pull`, { maxMessages: 1000, returnImmediately: true })) as {
        receivedMessages?: { ackId: string; message: { data?: string } }[];
      };
      const received = answer.receivedMessages ?? [];
      if (received.length > 0)
        await call('POST', `${path}:acknowledge`, { ackIds: received.map(({ ackId }) => ackId) });
      return received.map(({ message }) => Buffer.from(message.data ?? '', 'base64'));
    },
  };
}
