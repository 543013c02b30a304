// A batch on its way through both programs and both servers, by directories.
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn } from './contents.mjs';
import { packetKey, privateKey, publicKey, signingKey } from './keys.mjs';
import { Failed } from './process.mjs';

const HOUR_MS = 3_600_000;
const PACKETS = 10;
const SERVERS = ['pha', 'facilitator'];
const AGGREGATION = 'kittens-seen';

/**
 * Generates a sample, publishes its tasks, takes it in, publishes its window, sums it, and reads the sum parts.
 * @param {import('./process.mjs').Runner} runner
 * @param {string} directory stands for all buckets and queues
 * @param {number} nowMs
 */
export async function checkFlow(runner, directory, nowMs) {
  const world = worldIn(directory);
  // The latest window that is due.
  const endMs = Math.floor((nowMs - HOUR_MS) / HOUR_MS) * HOUR_MS;
  await generateSample(runner, world, endMs - HOUR_MS / 2);
  await publish(runner, world, endMs);
  await work(runner, world, 'intake-batch-worker');
  await publish(runner, world, endMs + HOUR_MS);
  await work(runner, world, 'aggregate-worker');
  await inspectSumParts(runner, world.portal);
}

function worldIn(directory) {
  const servers = SERVERS.map((name) => {
    const place = (bucket) => {
      mkdirSync(join(directory, name, bucket), { recursive: true });
      return join(directory, name, bucket);
    };
    const buckets = { ingestion: place('ingestion'), own: place('own-validation'), peer: place('peer-validation') };
    const queues = { intake: place('intake-tasks'), aggregate: place('aggregate-tasks') };
    return { name, buckets, queues, signing: signingKey(), packets: packetKey() };
  });
  const portal = join(directory, 'portal');
  mkdirSync(portal);
  return { servers, portal, ingestor: signingKey() };
}

async function generateSample(runner, { servers: [pha, facilitator], ingestor }, timeMs) {
  const [date, time] = new Date(timeMs).toISOString().split('T');
  const args = [
    'generate-ingestion-sample',
    `--aggregation-id=${AGGREGATION}`,
    `--batch-id=${randomUUID()}`,
    `--date=${date.replaceAll('-', '/')}/${time.slice(0, 5).replace(':', '/')}`,
    `--packet-count=${PACKETS}`,
    '--dimension=10',
    '--epsilon=0.11',
    `--batch-start-time=${timeMs}`,
    `--batch-end-time=${timeMs + HOUR_MS}`,
    `--pha-ecies-public-key=${pha.packets.point}`,
    `--facilitator-ecies-public-key=${facilitator.packets.point}`,
    `--peer-output=file://${pha.buckets.ingestion}`,
    `--facilitator-output=file://${facilitator.buckets.ingestion}`,
    '--batch-signing-private-key-identifier=ingestor',
  ];
  await runner.program('facilitator', args, { env: { BATCH_SIGNING_PRIVATE_KEY: privateKey(ingestor) } });
}

async function publish(runner, { servers }, asOfMs) {
  await eachServer(servers, ({ name, buckets, queues }) =>
    runner.program('workflow-manager', [
      `--is-first=${name === 'pha'}`,
      `--ingestor-input=file://${buckets.ingestion}`,
      `--own-validation-input=file://${buckets.own}`,
      `--peer-validation-input=file://${buckets.peer}`,
      '--task-queue-kind=local',
      `--intake-tasks-topic=${queues.intake}`,
      `--aggregate-tasks-topic=${queues.aggregate}`,
      `--as-of=${new Date(asOfMs).toISOString()}`,
      '--intake-max-age=3h',
      '--aggregation-period=1h',
      '--grace-period=1h',
    ]),
  );
}

/** Each server does one task. */
async function work(runner, { servers, portal, ingestor }, worker) {
  await eachServer(servers, (own, peer) => {
    const outputs =
      worker === 'intake-batch-worker'
        ? [`--peer-output=file://${peer.buckets.peer}`, `--task-queue-name=${own.queues.intake}`]
        : [
            `--own-input=file://${own.buckets.own}`,
            `--peer-input=file://${own.buckets.peer}`,
            `--peer-public-key=${publicKey(peer.signing)}`,
            `--peer-public-key-identifier=${peer.name}`,
            `--portal-output=file://${portal}`,
            `--task-queue-name=${own.queues.aggregate}`,
          ];
    const args = [
      worker,
      '--instance-name=local',
      `--is-first=${own.name === 'pha'}`,
      `--ingestor-input=file://${own.buckets.ingestion}`,
      `--ingestor-public-key=${publicKey(ingestor)}`,
      '--ingestor-public-key-identifier=ingestor',
      `--batch-signing-private-key-identifier=${own.name}`,
      `--own-output=file://${own.buckets.own}`,
      '--task-queue-kind=local',
      '--max-tasks-per-worker=1',
      '--metrics-scrape-port=0',
      // Not as many as the machine has cores, but more than one.
      '--threads=2',
      ...outputs,
    ];
    const env = { BATCH_SIGNING_PRIVATE_KEY: privateKey(own.signing), PACKET_DECRYPTION_KEYS: own.packets.key };
    return runner.program('facilitator', args, { env });
  });
}

async function eachServer([pha, facilitator], action) {
  await Promise.all([action(pha, facilitator), action(facilitator, pha)]);
}

async function inspectSumParts(runner, portal) {
  const parts = filesIn(portal).filter((name) => /\.sum_\d$/.test(name));
  if (parts.length !== SERVERS.length) throw new Failed(`there are ${parts.length} sum parts, not ${SERVERS.length}`);
  const printed = await runner.program('facilitator', ['inspect', ...parts.map((name) => join(portal, name))]);
  const clients = [...printed.matchAll(/"total_individual_clients":"?(\d+)/g)].map(([, count]) => Number(count));
  if (clients.length !== parts.length || clients.some((count) => count !== PACKETS)) {
    throw new Failed(`the sum parts are not of ${PACKETS} packets each:\n${printed}`);
  }
}
