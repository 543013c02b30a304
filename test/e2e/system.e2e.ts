import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { withoutPubSubEmulator } from '../services/pubsub-emulator.ts';
import { withoutTools } from '../services/service.ts';
import { startFaultProxy, type Fault } from '../support/fault-proxy.ts';
import { startGrpcProxy } from './grpc-proxy.ts';
import { LOAD, makeInput, type Input } from './input.ts';
import { expectedSums, outputsOf, publishedSums } from './outputs.ts';
import { runSystem, type Disturbance } from './stage.ts';
import { serviceEnvironment, startStandIns, type StandIns } from './stand-ins.ts';
import { Stopper } from './stopper.ts';
import type { Workers } from './workers.ts';
import { World } from './world.ts';

const WHAT = 'the whole system';
const isMissing = [withoutTools(WHAT, 'fake-gcs-server', 'versitygw', 'moto_server'), withoutPubSubEmulator(WHAT)];

const KINDS = ['pha', 'facilitator'].flatMap((server) => [
  `${server} intake-batch-worker`,
  `${server} aggregate-worker`,
]);
const tasksOf = (kind: string): number => (kind.includes('intake') ? LOAD.batches : LOAD.aggregations);

interface Stage extends Disturbance {
  readonly name: string;
  /** Instead of the stand-ins' own addresses. */
  readonly urls?: Partial<StandIns['urls']>;
}

describe.skipIf(isMissing.some(Boolean))('the whole system, one server at Google and one at Amazon', () => {
  let standIns: StandIns;
  let input: Input;
  let directory: string;
  let undisturbed: ReadonlyMap<string, string>;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'dsp-e2e-'));
    standIns = await startStandIns();
    for (const [name, value] of Object.entries(serviceEnvironment(standIns.urls))) vi.stubEnv(name, value);
    input = await makeInput();
  });
  afterAll(async () => {
    await standIns?.[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
    if (!process.env['DSP_E2E_KEEP_LOGS']) rmSync(directory, { recursive: true, force: true });
  });

  it('sums what the plain data sum to', async () => {
    const outputs = await run({ name: 'undisturbed', ackDeadlineMs: 60_000, until: isAllDone(1) });
    // Three objects of each batch for each server and its peer; of each window three for the portal, and a copy.
    expect(outputs.size).toBe(2 * (LOAD.batches * 6 + LOAD.aggregations * 4));
    undisturbed = outputs;
  });

  it('does so when every message comes twice', async () => {
    const outputs = await run({ name: 'twice', ackDeadlineMs: 60_000, copies: 2, until: isAllDone(2) });
    expect(outputs).toEqual(undisturbed);
  });

  it('does so when a worker is killed every second, 60 times', async () => {
    const outputs = await run({ name: 'killed', ackDeadlineMs: 2000, copies: 1, disturb: killOneEachSecond(60) });
    expect(outputs).toEqual(undisturbed);
  });

  it('does so when the object stores answer 503 to one request in five', async () => {
    const oneInFive = ({ n }: { readonly n: number }): Fault | undefined => (n % 5 === 0 ? { status: 503 } : undefined);
    await using gcs = await startFaultProxy(standIns.urls.gcs, oneInFive);
    await using s3 = await startFaultProxy(standIns.urls.s3, oneInFive);
    const urls = { gcs: gcs.url, s3: s3.url };
    const outputs = await run({ name: 'unavailable', ackDeadlineMs: 60_000, urls, until: isAllDone(1) });
    process.stdout.write(`  ${gcs.requests.length} requests to GCS, ${s3.requests.length} to S3\n`);
    expect(outputs).toEqual(undisturbed);
  });

  it('does so when acknowledgements are lost until all is done', async () => {
    let workers: Workers | undefined;
    let lost = 0;
    const isLost = (isAck: boolean): boolean => {
      // As the workers see it, they have acknowledged everything.
      if (!isAck || (workers && isAllDone(1)(workers))) return false;
      lost++;
      return true;
    };
    await using moto = await startFaultProxy(standIns.urls.moto, ({ headers }) =>
      isLost(/DeleteMessage/.test(String(headers['x-amz-target'])))
        ? { status: 200, body: '{}', headers: AMZ_JSON }
        : undefined,
    );
    await using pubsub = await startGrpcProxy(standIns.urls.pubsub, (path) => isLost(path.endsWith('/Acknowledge')));
    const outputs = await run({
      name: 'acks-lost',
      ackDeadlineMs: 5000,
      urls: { moto: moto.url, pubsub: pubsub.url },
      disturb: async (started) => void (workers = started),
      until: isAllDone(1),
    });
    process.stdout.write(`  ${lost} acknowledgements lost\n`);
    expect(lost).toBeGreaterThanOrEqual(2 * LOAD.batches);
    expect(outputs).toEqual(undisturbed);
  });

  it('does so when a task outlives its deadline three times', async () => {
    const stopper = new Stopper(input.aggregations[0]!.batches[0]!.id, 3, ACK_DEADLINE_MS + 1000);
    await using gcs = await startFaultProxy(standIns.urls.gcs, (request) => stopper.see('pha', request));
    await using s3 = await startFaultProxy(standIns.urls.s3, (request) => stopper.see('facilitator', request));
    const outputs = await run({
      name: 'outlived',
      ackDeadlineMs: ACK_DEADLINE_MS,
      urls: { gcs: gcs.url, s3: s3.url },
      disturb: async (workers) => stopper.watch(workers),
      until: (workers) => isAllDone(1)(workers) && stopper.isDone(),
    });
    process.stdout.write(`  ${stopper.stops} times stopped beyond the deadline\n`);
    expect(stopper.isDone()).toBe(true);
    expect(outputs).toEqual(undisturbed);
  });

  async function run({ name, urls, ...disturbance }: Stage): Promise<ReadonlyMap<string, string>> {
    const beganAt = performance.now();
    const world = await World.create(standIns, input, name, disturbance.copies !== undefined);
    const logFile = join(directory, `${name}.log`);
    const env = serviceEnvironment({ ...standIns.urls, ...urls });
    const workers = await runSystem(world, disturbance, { env, logFile });
    const outputs = await outputsOf(world);
    const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);
    const tasks = [...workers.outcomes].map(([key, count]) => `${key} ${count}`).sort();
    process.stdout.write(`e2e ${name}: ${seconds} s, ${outputs.size} objects; ${tasks.join(', ')}\n`);
    expect(await publishedSums(world)).toEqual(expectedSums(input));
    expect(await world.lostMessages()).toEqual([]);
    return outputs;
  }
});

const ACK_DEADLINE_MS = 3000;

/** What moto answers with. */
const AMZ_JSON = { 'content-type': 'application/x-amz-json-1.0' };

/** `kill -9`; all intake messages come again now and then, so that there is something to be killed at. */
function killOneEachSecond(times: number): NonNullable<Disturbance['disturb']> {
  return async (workers, signal, world) => {
    for (let n = 0; n < times; n++) {
      await delay(1000, undefined, { signal });
      // 3 has no divisor with the number of seats in common: each is hit.
      workers.seats[(3 * n) % workers.seats.length]!.current.kill('SIGKILL');
      if (n % 10 === 9) await world.sendAgain('intakeTasks');
    }
  };
}

/** Every message was done and acknowledged, in all its copies. */
function isAllDone(copies: number): (workers: Workers) => boolean {
  return (workers) => KINDS.every((kind) => workers.count(kind, 'ack') >= copies * tasksOf(kind));
}
