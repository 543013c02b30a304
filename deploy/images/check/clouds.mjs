// Both programs at clouds that refuse whatever they are asked: that they get to ask shows that every library of a
// backend is there, also what it loads late.
import { createServer } from 'node:http';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packetKey, privateKey, publicKey, signingKey } from './keys.mjs';
import { Failed } from './process.mjs';

const AWS = { AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none' };
const ROLE = 'arn:aws:iam::123456789012:role/reader';

/** In words that all clients understand: the form's is SNS's and STS's. */
const REFUSAL = {
  xml: '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>',
  json: '{"error":{"code":403,"status":"PERMISSION_DENIED","message":"no"},"__type":"AccessDenied"}',
};

/**
 * @param {import('./process.mjs').Runner} runner
 * @param {string} directory for directories that stand for what is not asked
 */
export async function checkClouds(runner, directory) {
  const cloud = await refusingCloud();
  try {
    for (const { program, args, ...expected } of casesFor(cloud.origin, directory)) {
      const before = cloud.requests();
      await runner.program(program, args, expected);
      if (cloud.requests() === before) throw new Failed(`${program} ${args[0]} asked nobody`);
    }
  } finally {
    await cloud.close();
  }
}

/** Answers every request with 403. */
async function refusingCloud() {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    request.resume();
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
    response.writeHead(403, { 'content-type': isForm ? 'text/xml' : 'application/json' });
    response.end(isForm ? REFUSAL.xml : REFUSAL.json);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    requests: () => requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function casesFor(origin, directory) {
  const place = (name) => {
    mkdirSync(join(directory, name), { recursive: true });
    return join(directory, name);
  };
  const aws = { ...AWS, AWS_ENDPOINT_URL: origin };
  const gcs = { STORAGE_EMULATOR_HOST: origin };
  const pubsub = { PUBSUB_EMULATOR_HOST: origin.slice('http://'.length) };
  const refused = { status: 77, says: /E_PERMISSION_DENIED/ };

  const publisher = (changed = {}) =>
    optionsOf({
      'ingestor-input': place('ingestion'),
      'own-validation-input': place('own'),
      'peer-validation-input': place('peer'),
      'task-queue-kind': 'local',
      'intake-tasks-topic': place('intake'),
      'aggregate-tasks-topic': place('aggregate'),
      ...changed,
    });
  const topics = (prefix) => ({
    'intake-tasks-topic': `${prefix}intake`,
    'aggregate-tasks-topic': `${prefix}aggregate`,
  });
  const kubeConfig = join(place('kubernetes'), 'config.json');
  writeFileSync(kubeConfig, JSON.stringify(kubeConfigFor(origin)));
  const ofPublisher = [
    { args: publisher({ 'ingestor-input': 's3://eu-west-1/bucket' }), env: aws, ...refused },
    { args: publisher({ 'ingestor-input': 'gs://bucket' }), env: gcs, ...refused },
    {
      args: publisher({
        'task-queue-kind': 'aws-sns',
        'aws-sns-region': 'eu-west-1',
        ...topics('arn:aws:sns:eu-west-1:123456789012:'),
      }),
      env: aws,
      // Who may publish need not be let look at a topic, and there is nothing to publish.
      status: 0,
    },
    {
      args: publisher({ 'task-queue-kind': 'gcp-pubsub', 'gcp-project-id': 'project', ...topics('tasks-') }),
      env: pubsub,
      ...refused,
    },
    {
      args: publisher({ 'k8s-namespace': 'us-ca', 'kube-config-path': kubeConfig }),
      status: 1,
      says: /E_REAPING/,
    },
    { args: publisher({ 'push-gateway': origin.slice('http://'.length) }), says: /E_METRICS/ },
  ];

  const intake = (command, changed = {}) => [
    command,
    ...optionsOf({
      'instance-name': 'us-ca',
      'is-first': 'true',
      'ingestor-input': place('ingestion'),
      'ingestor-public-key': publicKey(signingKey()),
      'ingestor-public-key-identifier': 'ingestor',
      'batch-signing-private-key-identifier': 'own',
      'peer-output': place('peer'),
      'own-output': place('own'),
      ...changed,
    }),
  ];
  const batch = {
    'aggregation-id': 'kittens-seen',
    'batch-id': 'b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e',
    date: '2026/11/20/10/00',
  };
  const keys = keysOfServer();
  const worker = { 'metrics-scrape-port': 0 };
  const ofFacilitator = [
    { args: intake('intake-batch', { ...batch, 'ingestor-input': 's3://eu-west-1/bucket' }), env: aws },
    { args: intake('intake-batch', { ...batch, 'ingestor-input': 'gs://bucket' }), env: gcs },
    {
      args: intake('intake-batch', {
        ...batch,
        'ingestor-input': 's3://eu-west-1/bucket',
        'ingestor-identity': ROLE,
        'ingestor-use-default-aws-credentials-provider': 'true',
      }),
      env: aws,
    },
    {
      args: intake('intake-batch-worker', {
        ...worker,
        'task-queue-kind': 'aws-sqs',
        'aws-sqs-region': 'eu-west-1',
        'task-queue-name': `${origin}/123456789012/intake`,
      }),
      env: aws,
    },
    {
      args: intake('intake-batch-worker', {
        ...worker,
        'task-queue-kind': 'gcp-pubsub',
        'gcp-project-id': 'project',
        'task-queue-name': 'tasks-intake',
      }),
      env: pubsub,
    },
  ].map(({ args, env }) => ({ args, env: { ...env, ...keys }, ...refused }));

  return [
    ...ofPublisher.map((one) => ({ program: 'workflow-manager', ...one })),
    ...ofFacilitator.map((one) => ({ program: 'facilitator', ...one })),
  ];
}

function optionsOf(options) {
  return Object.entries(options).map(([name, value]) => `--${name}=${value}`);
}

function kubeConfigFor(server) {
  const user = { name: 'user', user: { token: 'none' } };
  const cluster = { name: 'cluster', cluster: { server, 'insecure-skip-tls-verify': true } };
  const context = { name: 'context', context: { cluster: 'cluster', user: 'user' } };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [cluster],
    users: [user],
    contexts: [context],
    'current-context': 'context',
  };
}

function keysOfServer() {
  return { BATCH_SIGNING_PRIVATE_KEY: privateKey(signingKey()), PACKET_DECRYPTION_KEYS: packetKey().key };
}
