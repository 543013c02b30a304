import type { AlertCase } from './alert-case.ts';

const google = (queue: string): string =>
  `pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource="pubsub_subscription",subscription_id="prod-CASE-${queue}"}`;
const aws = (queue: string): string =>
  `aws_sqs_approximate_number_of_messages_visible_maximum{queue_name="prod-CASE-${queue}"}`;

/** Of queues that are looked at over some hours. */
function growth(series: (queue: string) => string, task: string, hours: number): AlertCase['cases'] {
  const [before, minutes] = [`10x30`, hours * 60];
  const name = series(task);
  return {
    firing: { [name]: `${before} 10+1x${minutes + 60}` },
    'holes in what grows': { [name]: `${before} 10+1x${minutes} _x10 ${minutes + 20}+1x50` },
    'quiet, as it was empty for a moment': { [name]: `${before} 10+1x${minutes - 30} 0 ${minutes}+1x90` },
    'quiet, as it grows shorter': { [name]: `5000-1x${minutes + 100}` },
    'quiet, as it is another queue': { [series('other')]: `${before} 10+1x${minutes + 60}` },
    'holes, nothing but': { [name]: `${before} 10+1x20 _x${minutes}` },
    zero: { [name]: `0x${minutes + 100}` },
  };
}

const growthOf = (label: string, task: string, hours: number): Pick<AlertCase, 'at' | 'fires' | 'labels'> => {
  const minutes = hours * 60;
  const says = (count: number): string =>
    `prod-CASE-${task} holds ${count} tasks, more than ${hours} hours ago, and was not empty since.`;
  return {
    at: `${minutes + 91}m`,
    labels: { [label]: `prod-CASE-${task}` },
    fires: { firing: says(minutes + 70), 'holes in what grows': says(minutes + 69) },
  };
};

const deadLetters = (series: (queue: string) => string): AlertCase['cases'] => ({
  firing: { [series('intake-dead-letter')]: '0x60 2x60' },
  'holes after it': { [series('intake-dead-letter')]: '0x60 2x50 _x10' },
  'holes, nothing but': { [series('intake-dead-letter')]: '2x20 _x100' },
  'quiet, as it is the queue itself': { [series('intake')]: '0x60 2x60' },
  zero: { [series('intake-dead-letter')]: '0x120' },
});

const deadLettersOf = (label: string, at: string): Pick<AlertCase, 'at' | 'fires' | 'labels'> => ({
  at,
  labels: { [label]: 'prod-CASE-intake-dead-letter' },
  fires: {
    firing: 'prod-CASE-intake-dead-letter holds 2 tasks that nobody will do.',
    'holes after it': 'prod-CASE-intake-dead-letter holds 2 tasks that nobody will do.',
  },
});

/** Of alerts on queues, which two clouds count. */
export const QUEUES_CASES: readonly AlertCase[] = [
  { alert: 'IntakeTaskQueueGrowth', cases: growth(google, 'intake', 3), ...growthOf('subscription_id', 'intake', 3) },
  {
    alert: 'AggregateTaskQueueGrowth',
    cases: growth(google, 'aggregate', 10),
    ...growthOf('subscription_id', 'aggregate', 10),
  },
  { alert: 'DeadLetterQueue', cases: deadLetters(google), ...deadLettersOf('subscription_id', '115m') },
  { alert: 'IntakeTaskQueueGrowthSqs', cases: growth(aws, 'intake', 3), ...growthOf('queue_name', 'intake', 3) },
  {
    alert: 'AggregateTaskQueueGrowthSqs',
    cases: growth(aws, 'aggregate', 10),
    ...growthOf('queue_name', 'aggregate', 10),
  },
  { alert: 'DeadLetterQueueSqs', cases: deadLetters(aws), ...deadLettersOf('queue_name', '115m') },
];
