import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FileStorage } from '../../common/backends/storage/file.ts';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { validationKeys, type BatchId } from '../../common/domain/batch-path.ts';
import { HOUR_MS } from '../../common/domain/interval.ts';
import { encodeIntakeTask } from '../../common/domain/task.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { intakeInvocation } from '../../deploy/local/data-share-processor.ts';
import { placesIn } from '../../deploy/local/places.ts';
import { readBatch } from '../../facilitator/batch/read-batch.ts';
import type { ValidationPacket } from '../../facilitator/codec/records.ts';
import { validationHeader, validationPacket } from '../../facilitator/codec/record-types.ts';
import { soleKey } from '../../facilitator/crypto/key-source.ts';
import { parseVerificationKey } from '../../facilitator/crypto/keys.ts';
import { withoutPubSubEmulator } from '../services/pubsub-emulator.ts';
import { withoutTools } from '../services/service.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { PAYLOADS, storeBigBatch } from './big-batch.ts';
import { KEYS, type Input } from './input.ts';
import { LoggedWorker } from './logged-worker.ts';
import { runToSuccess } from './processes.ts';
import { serviceEnvironment, startStandIns, type StandIns } from './stand-ins.ts';
import { serverOf, World } from './world.ts';

const WHAT = 'SIGTERM during a long intake';
const isMissing = [withoutTools(WHAT, 'fake-gcs-server', 'versitygw', 'moto_server'), withoutPubSubEmulator(WHAT)];

const AGGREGATION = 'long';
const WINDOW = { begin: new Date('2026-11-20T09:00:00Z'), end: new Date('2026-11-20T12:00:00Z') };
const batchOf = (digit: number): BatchId => ({
  id: `9f2a4c1e-5b7d-4e3f-8a6b-00000000000${digit}`,
  time: new Date(WINDOW.begin.getTime() + HOUR_MS),
});
const BATCH = batchOf(0);

const INTAKE_MS = 60_000;
/** About a minute on two cores; the measurement says too few when the machine has other work meanwhile. */
const MIN_PACKETS = 1_000_000;
const MAX_PACKETS = 3_000_000;
const GRACE_MS = 10_000;
/** For a worker that was told to end at once: to notice, to give its task back, to end. On a machine with other work. */
const ENDING_MS = 15_000;
const LIMIT_MS = 480_000;

describe.skipIf(isMissing.some(Boolean))(
  'a worker of Amazon’s server that gets SIGTERM during an intake of a minute',
  () => {
    let standIns: StandIns;
    let directory: string;
    let world: World;
    let packets: number;
    let attempts = 0;

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'dsp-shutdown-'));
      standIns = await startStandIns();
      for (const [name, value] of Object.entries(serviceEnvironment(standIns.urls))) vi.stubEnv(name, value);
      packets = await packetsOfAMinute(directory);
      const ingestion = { pha: new MemoryStorage('none'), facilitator: new FileStorage(join(directory, 'ingestion')) };
      await storeBigBatch(ingestion.facilitator, AGGREGATION, BATCH, packets);
      const aggregations = [{ id: AGGREGATION, batches: [BATCH] }];
      const input: Input = { window: WINDOW, aggregations, generated: [], recorded: [], ingestion };
      world = await World.create(standIns, input, 'shutdown', false);
      const task = { traceId: BATCH.id, aggregationId: AGGREGATION, batch: BATCH };
      await world.send('facilitator', 'intake', Buffer.from(encodeIntakeTask(task)));
    });
    afterAll(async () => {
      await standIns?.[Symbol.asyncDispose]();
      vi.unstubAllEnvs();
      rmSync(directory, { recursive: true, force: true });
    });

    it('gives the task back after the grace, ends with 0, and shows the peer nothing', async () => {
      const { finished, endedAfterMs } = await interrupted('given-back', GRACE_MS);
      expect(finished).toMatchObject({ outcome: 'nack', error_code: 'E_STOPPED' });
      expect(endedAfterMs).toBeGreaterThanOrEqual(GRACE_MS);
      expect(endedAfterMs).toBeLessThan(GRACE_MS + ENDING_MS);
      expect(await keysIn(world.storage('pha', 'peerValidation'))).toEqual([]);
      expect(await keysIn(world.storage('facilitator', 'ownValidation'))).toEqual([]);
    });

    it('finishes the task if the grace is long enough, and ends with 0; it is the one that was given back', async () => {
      const { finished, endedAfterMs } = await interrupted('finished', LIMIT_MS);
      expect(finished).toMatchObject({ outcome: 'ack', packets });
      // It took long, and nearly all of it after the signal.
      expect(finished['duration_ms']).toBeGreaterThan(INTAKE_MS / 3);
      expect(endedAfterMs).toBeGreaterThan(INTAKE_MS / 4);
      const told = await peerMessages();
      expect(told).toHaveLength(packets);
      // Equal payloads have equal messages, wherever they are in the batch.
      const wrong = told.findIndex((message, n) => !isSame(message, told[n % PAYLOADS]));
      expect(wrong).toBe(-1);
      expect(await world.leftMessages()).toEqual([]);
      expect(await world.lostMessages()).toEqual([]);
    });

    /** Sends SIGTERM to a worker as soon as it reads the packets of the batch. */
    async function interrupted(
      name: string,
      graceMs: number,
    ): Promise<{ readonly finished: Readonly<Record<string, unknown>>; readonly endedAfterMs: number }> {
      let begin = (): void => {};
      const isReading = new Promise<void>((resolve) => (begin = resolve));
      await using s3 = await startFaultProxy(standIns.urls.s3, ({ method, url }) => {
        if (method === 'GET' && decodeURIComponent(url).includes(`${BATCH.id}.batch.avro`)) begin();
        return undefined;
      });
      const invocation = world.worker({ server: 'facilitator', kind: 'intake' }, 60_000, standIns.urls);
      const impatient = { ...invocation, args: [...invocation.args, '--shutdown-grace', `${graceMs}ms`] };
      const env = serviceEnvironment({ ...standIns.urls, s3: s3.url });
      const worker = new LoggedWorker(impatient, env, join(directory, `${name}.log`));
      await Promise.race([isReading, worker.logged('worker stopped', LIMIT_MS)]);
      const toldAt = performance.now();
      worker.signal('SIGTERM');
      expect(await worker.ended).toEqual({ code: 0, killedBy: null });
      const endedAfterMs = performance.now() - toldAt;
      attempts++;
      const [finished = {}, ...more] = worker.lines('task finished');
      const { outcome, duration_ms } = finished;
      process.stdout.write(
        `e2e shutdown, ${name}: ${packets} packets; ${String(outcome)} after ${String(duration_ms)} ms; ended ${endedAfterMs.toFixed(0)} ms after SIGTERM, grace ${graceMs} ms\n`,
      );
      expect(more).toEqual([]);
      expect(finished['attempt']).toBe(attempts);
      expect(worker.lines('worker stopped')).toMatchObject([{ reason: 'stopped by SIGTERM' }]);
      return { finished, endedAfterMs };
    }

    async function peerMessages(): Promise<ValidationPacket[]> {
      const source = {
        storage: world.storage('pha', 'peerValidation'),
        keys: validationKeys(AGGREGATION, BATCH, 1),
        headerType: validationHeader,
        packetType: validationPacket,
      };
      const key = parseVerificationKey(KEYS.signing.facilitator.spki, 'the key of the facilitator');
      return [...(await readBatch(source, { keys: soleKey(key) })).packets()];
    }
  },
);

/** How many packets this machine takes in within a minute, from what many take it more than few. */
async function packetsOfAMinute(directory: string): Promise<number> {
  const [few, many] = [1000, 51_000];
  const places = placesIn(join(directory, 'probe'));
  const ingestion = new FileStorage(places.buckets.facilitator.ingestion);
  const settings = { env: {}, logFile: join(directory, 'probe.log'), hasChannel: true };
  const durationMs = async (digit: number, packetCount: number): Promise<number> => {
    await storeBigBatch(ingestion, AGGREGATION, batchOf(digit), packetCount);
    const beganAt = performance.now();
    await runToSuccess(intakeInvocation(serverOf('facilitator', places), AGGREGATION, batchOf(digit)), settings);
    return performance.now() - beganAt;
  };
  const startUpMs = await durationMs(1, few);
  const packetMs = ((await durationMs(2, many)) - startUpMs) / (many - few);
  const wanted = Math.ceil(INTAKE_MS / packetMs / 1000) * 1000;
  process.stdout.write(`e2e shutdown: ${(1000 * packetMs).toFixed(0)} µs a packet\n`);
  return Math.min(Math.max(wanted, MIN_PACKETS), MAX_PACKETS);
}

function isSame(a: ValidationPacket, b: ValidationPacket | undefined): boolean {
  return a.f_r === b?.f_r && a.g_r === b.g_r && a.h_r === b.h_r;
}

async function keysIn(storage: Storage): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of storage.list()) keys.push(key);
  return keys;
}
