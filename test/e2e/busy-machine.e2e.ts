import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalEnqueuer } from '../../common/backends/queue/local-enqueuer.ts';
import { FileStorage } from '../../common/backends/storage/file.ts';
import type { BatchId } from '../../common/domain/batch-path.ts';
import { formatDuration } from '../../common/domain/duration.ts';
import { encodeIntakeTask } from '../../common/domain/task.ts';
import { workerInvocation } from '../../deploy/local/data-share-processor.ts';
import { placesIn, type Places } from '../../deploy/local/places.ts';
import type { Invocation } from '../../deploy/local/process.ts';
import { startPubSubEmulator, withoutPubSubEmulator } from '../services/pubsub-emulator.ts';
import { pubSubTopics } from '../support/pubsub-topics.ts';
import { filesIn } from '../support/temp-directory.ts';
import { storeBigBatch } from './big-batch.ts';
import { startBusyCores } from './busy-cores.ts';
import { LoggedWorker } from './logged-worker.ts';
import { serverOf, withTaskQueue } from './world.ts';

const isWithoutPubSub = withoutPubSubEmulator('a long task of Pub/Sub on a busy machine');

const ACK_DEADLINE_MS = 10_000;
const PACKETS = 600_000;
const LIMIT_MS = 540_000;
/** All but what the system's statistics may get wrong. */
const MOST_IDLE = 0.05;

const BATCH: BatchId = { id: '9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b', time: new Date('2026-11-20T10:00:00Z') };
const TASK = encodeIntakeTask({ traceId: BATCH.id, aggregationId: 'long', batch: BATCH });

/** Where the task comes from. */
interface Queue {
  /** The worker, with its options for this queue. */
  readonly of: (worker: Invocation) => Invocation;
  readonly publish: () => Promise<void>;
  /** What is left of the message in the end. */
  readonly left: () => Promise<readonly unknown[]>;
}

describe('on a machine whose cores are all busy, with an ack deadline of ten seconds,', () => {
  let directory: string;
  let ingestion: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'dsp-busy-'));
    ingestion = join(directory, 'ingestion');
    await storeBigBatch(new FileStorage(ingestion), 'long', BATCH, PACKETS);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('a task of 600,000 packets keeps its lease: the local queue', async () => {
    const places = placesIn(join(directory, 'local'), { pha: ingestion, facilitator: ingestion });
    const { intakeTasks } = places.queues.facilitator;
    const topic = new LocalEnqueuer({ directory: intakeTasks, clock: () => new Date() });
    await keepsItsLease('local', places, {
      of: (worker) => worker,
      publish: () => topic.publish(TASK),
      left: async () => filesIn(intakeTasks).filter((name) => !name.startsWith('.')),
    });
  });

  it.skipIf(isWithoutPubSub)('a task of 600,000 packets keeps its lease: Pub/Sub', async () => {
    await using emulator = await startPubSubEmulator();
    const topics = pubSubTopics(emulator.url);
    for (const topic of ['intake', 'rejected']) await topics.createTopic(topic);
    await createSubscription(emulator.url, 'intake');
    const local = placesIn(join(directory, 'pubsub'), { pha: ingestion, facilitator: ingestion });
    const ofFacilitator = { ...local.queues.facilitator, intakeTasks: 'intake', rejected: 'rejected' };
    const options = ['--gcp-project-id', 'project', '--pubsub-emulator-host', `127.0.0.1:${emulator.port}`];
    await keepsItsLease(
      'Pub/Sub',
      { ...local, queues: { ...local.queues, facilitator: ofFacilitator } },
      {
        of: (worker) => withTaskQueue(worker, 'gcp-pubsub', options),
        publish: () => topics.publish('intake', Buffer.from(TASK)),
        left: () => topics.drain('intake'),
      },
    );
  });

  /** Two workers wait for the one task: should its lease be lost, the other one gets it. */
  async function keepsItsLease(name: string, places: Places, queue: Queue): Promise<void> {
    const server = serverOf('facilitator', places);
    const invocation = queue.of(workerInvocation(server, 'intake-batch-worker', formatDuration(ACK_DEADLINE_MS)));
    const env = { METADATA_SERVER_DETECTION: 'none' };
    const logFile = join(directory, 'workers.log');
    const workers = [1, 2].map(() => new LoggedWorker(invocation, env, logFile));
    const started = await Promise.all(
      workers.map((worker) => worker.logged('metrics and health are served', LIMIT_MS)),
    );
    await Promise.all(workers.map((worker) => worker.logged('worker started', LIMIT_MS)));
    await using busy = startBusyCores();
    const beganAt = performance.now();
    await queue.publish();
    await Promise.any(workers.map((worker) => worker.logged('task finished', LIMIT_MS)));
    const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);
    const idle = busy.idle();
    const metrics = await Promise.all(started.map(({ port }) => metricsAt(Number(port))));
    for (const worker of workers) worker.signal('SIGTERM');
    const endings = await Promise.all(workers.map(({ ended }) => ended));
    const finished = workers.flatMap((worker) => worker.lines('task finished'));
    const extensions = metrics.reduce((sum, page) => sum + valueOf(page, EXTENSIONS), 0);
    process.stdout.write(
      `e2e busy machine, ${name}: ${seconds} s; ${finished.length} deliveries, ${finished.map(({ outcome }) => outcome).join(', ')}; ${extensions} extensions of the lease; cores idle ${(100 * idle).toFixed(1)} %\n`,
    );
    expect(endings).toEqual(workers.map(() => ({ code: 0, killedBy: null })));
    expect(finished).toMatchObject([{ outcome: 'ack', packets: PACKETS }]);
    expect(metrics.map((page) => valueOf(page, 'facilitator_leases_lost_total'))).toEqual([0, 0]);
    expect(idle).toBeLessThan(MOST_IDLE);
    // It had to be extended again and again.
    expect(finished[0]?.['duration_ms']).toBeGreaterThan(2 * ACK_DEADLINE_MS);
    expect(extensions).toBeGreaterThan(2);
    expect(await queue.left()).toEqual([]);
  }
});

/** Of an extension that succeeded. */
const EXTENSIONS = /^facilitator_lease_extensions_total\{[^}]*result="success"[^}]*\} (\d+)$/m;

function valueOf(page: string, metric: RegExp | string): number {
  const line = metric instanceof RegExp ? metric : new RegExp(`^${metric}(?:\\{[^}]*\\})? (\\d+)$`, 'm');
  return Number(line.exec(page)?.[1] ?? 0);
}

async function metricsAt(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

/** One that holds messages for the deadline, from the first moment on. */
async function createSubscription(emulatorUrl: string, topic: string): Promise<void> {
  const answer = await fetch(`${emulatorUrl}/v1/projects/project/subscriptions/${topic}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topic: `projects/project/topics/${topic}`, ackDeadlineSeconds: ACK_DEADLINE_MS / 1000 }),
  });
  if (!answer.ok) throw new Error(`no subscription: ${answer.status} ${await answer.text()}`);
}
