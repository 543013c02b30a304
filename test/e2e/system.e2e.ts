import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SERVERS } from '../../deploy/local/places.ts';
import { withoutPubSubEmulator } from '../services/pubsub-emulator.ts';
import { withoutTools } from '../services/service.ts';
import { startFaultProxy, type Fault } from '../support/fault-proxy.ts';
import { AckLoss } from './ack-loss.ts';
import { makeInput, subjectsOf, type Input } from './input.ts';
import { passUnderKills } from './kill-plan.ts';
import { Killer } from './killer.ts';
import { KINDS, type Ledger } from './ledger.ts';
import { modelSums } from './model-sums.ts';
import { outputNames, outputsOf } from './outputs.ts';
import { startPubSubAckProxy } from './pubsub-proxy.ts';
import { startSeatProxies } from './seat-proxies.ts';
import { startSqsAckProxy } from './sqs-proxy.ts';
import { runSystem, type Stage } from './stage.ts';
import { serviceEnvironment, startStandIns, type StandIns } from './stand-ins.ts';
import { Stopper } from './stopper.ts';
import { generatedTotals, plainTotals, publishedSums, recordedSums, referenceSums, type Sums } from './sums.ts';
import { World, type Opening } from './world.ts';

const WHAT = 'the whole system';
const isMissing = [withoutTools(WHAT, 'fake-gcs-server', 'versitygw', 'moto_server'), withoutPubSubEmulator(WHAT)];

interface StageResult {
  readonly outputs: ReadonlyMap<string, string>;
  readonly ledger: Ledger;
}

const MANY = Math.max(2, availableParallelism());

/** What the workers of this machine choose by themselves, and its opposite. */
const OPENINGS: readonly Required<Opening>[] = [
  { evaluation: 'webassembly', threads: MANY },
  { evaluation: 'typescript', threads: 1 },
];
const OTHER_OPENINGS: readonly Required<Opening>[] = [
  { evaluation: 'webassembly', threads: 1 },
  { evaluation: 'typescript', threads: MANY },
];

describe.skipIf(isMissing.some(Boolean))('the whole system, one server at Google and one at Amazon', () => {
  let standIns: StandIns;
  let input: Input;
  let expected: Sums;
  let directory: string;
  /** Of the first stage. */
  let undisturbed: ReadonlyMap<string, string> | undefined;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'dsp-e2e-'));
    standIns = await startStandIns();
    for (const [name, value] of Object.entries(serviceEnvironment(standIns.urls))) vi.stubEnv(name, value);
    input = await makeInput();
    expected = await modelSums(input);
  });
  afterAll(async () => {
    await standIns?.[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
    if (process.env['DSP_E2E_KEEP_LOGS']) process.stdout.write(`logs of the workers: ${directory}\n`);
    else rmSync(directory, { recursive: true, force: true });
  });

  it('the model that it is compared with sums what the plain data sum to, and what the reference has summed', () => {
    expect(generatedTotals(input, expected)).toEqual(plainTotals(input));
    expect(recordedSums(input, expected)).toEqual(referenceSums(input));
  });

  describe.each(OPENINGS)('that opens packets with $evaluation in $threads threads', (opening) => {
    const run = (stage: Stage, counted?: () => string): Promise<StageResult> => runWith(opening, stage, counted);

    it('sums what it should', async () => {
      const { outputs } = await run({ name: 'undisturbed', ackDeadlineMs: 60_000, urls: standIns.urls });
      expect([...outputs.keys()].sort()).toEqual(outputNames(input));
      undisturbed ??= outputs;
      expect(outputs).toEqual(undisturbed);
    });

    it('does so when every message comes twice', async () => {
      const { outputs, ledger } = await run({
        name: 'twice',
        ackDeadlineMs: 60_000,
        urls: standIns.urls,
        copies: 2,
        relay: async (_, messages, world) => {
          for (const message of [...messages, ...messages]) await world.pass(message);
        },
      });
      for (const kind of KINDS) {
        for (const server of SERVERS) {
          expect(ledger.messagesDone({ server, kind })).toBe(2 * subjectsOf(input, kind).length);
        }
      }
      expect(outputs).toEqual(undisturbed);
    });

    it('does so when a worker is killed every second, 60 times', async () => {
      let killer: Killer | undefined;
      await using proxies = await startSeatProxies(standIns.urls, (seat, request) => killer?.see(seat, request));
      const { outputs, ledger } = await run(
        {
          name: 'killed',
          ackDeadlineMs: 2000,
          urls: standIns.urls,
          urlsOf: (seat) => proxies.urlsOf(seat),
          watch: (workers) => {
            killer = new Killer(
              workers,
              KINDS.flatMap((kind) => subjectsOf(input, kind)),
            );
          },
          // The workers are there before there are messages.
          relay: (kind, messages, world) => passUnderKills(killer!, kind, messages, world),
        },
        () => `${killer?.kills.length} kills in ${((killer?.durationMs ?? 0) / 1000).toFixed(0)} s`,
      );
      const kills = killer?.kills ?? [];
      expect(kills).toHaveLength(60);
      // Every task that somebody was killed at came again, as often as that, and was done in the end.
      for (const { server, kind, subject } of kills) {
        const attempts = ledger.of({ server, kind, subject, outcome: 'ack' }).map(({ attempt }) => attempt);
        const times = kills.filter((kill) => kill.server === server && kill.kind === kind && kill.subject === subject);
        expect(Math.max(...attempts)).toBeGreaterThan(times.length);
      }
      expect(outputs).toEqual(undisturbed);
    });

    it('does so when the object stores answer 503 to one request in five', async () => {
      let refusals = 0;
      const oneInFive = ({ n }: { readonly n: number }): Fault | undefined => {
        if (n % 5 !== 0) return undefined;
        refusals++;
        return { status: 503 };
      };
      await using gcs = await startFaultProxy(standIns.urls.gcs, oneInFive);
      await using s3 = await startFaultProxy(standIns.urls.s3, oneInFive);
      const { outputs } = await run(
        {
          name: 'unavailable',
          ackDeadlineMs: 60_000,
          urls: { ...standIns.urls, gcs: gcs.url, s3: s3.url },
          // All attempts at one request may be among the refused ones; then the next run does what is left.
          publisherRuns: 5,
        },
        () => `${refusals} times 503 to ${gcs.requests.length} requests to GCS and ${s3.requests.length} to S3`,
      );
      for (const { requests } of [gcs, s3]) expect(requests.length).toBeGreaterThan(500);
      expect(refusals).toBe(Math.floor(gcs.requests.length / 5) + Math.floor(s3.requests.length / 5));
      expect(outputs).toEqual(undisturbed);
    });

    it('does so when the first acknowledgement of every message is lost', async () => {
      const losses = { pubsub: new AckLoss(), sqs: new AckLoss() };
      await using pubsub = await startPubSubAckProxy(standIns.urls.pubsub, losses.pubsub);
      await using sqs = await startSqsAckProxy(standIns.urls.moto, losses.sqs);
      const messages = subjectsOf(input, 'intake').length + subjectsOf(input, 'aggregate').length;
      const cameAgain = (): number[] => [losses.pubsub.cameAgain, losses.sqs.cameAgain];
      const { outputs, ledger } = await run(
        {
          name: 'acks-lost',
          ackDeadlineMs: 5000,
          urls: standIns.urls,
          urlsOf: () => ({ ...standIns.urls, pubsub: pubsub.url, moto: sqs.url }),
          until: () => cameAgain().every((count) => count === messages),
        },
        () =>
          `${losses.pubsub.lost} acknowledgements lost by Pub/Sub and ${losses.sqs.lost} by SQS, ${cameAgain().join(' and ')} messages came again`,
      );
      for (const loss of Object.values(losses)) expect(loss.messages).toBe(messages);
      // To the workers, each message was acknowledged twice.
      const acks = new Map<string, number>();
      for (const { messageId } of ledger.of({ outcome: 'ack' })) acks.set(messageId, (acks.get(messageId) ?? 0) + 1);
      expect(acks.size).toBe(2 * messages);
      expect(Math.min(...acks.values())).toBeGreaterThanOrEqual(2);
      expect(outputs).toEqual(undisturbed);
    });

    it('does so when a task outlives its deadline three times', async () => {
      // As many as `LOAD` has.
      const subject = input.generated[0]!.batches[0]!.id;
      let stopper: Stopper | undefined;
      await using proxies = await startSeatProxies(standIns.urls, (seat, request) => stopper?.see(seat, request));
      const { outputs, ledger } = await run(
        {
          name: 'outlived',
          ackDeadlineMs: 3000,
          urls: standIns.urls,
          urlsOf: (seat) => proxies.urlsOf(seat),
          watch: (workers) => {
            stopper = new Stopper(workers, subject, 3);
          },
        },
        () => `${stopper?.stops} workers stopped until their task was somebody else's`,
      );
      expect(stopper?.stops).toBe(6);
      for (const server of SERVERS) {
        const outcomes = ledger.of({ server, kind: 'intake', subject }).map(({ outcome }) => outcome);
        expect(outcomes.filter((outcome) => outcome === 'lost').length).toBeGreaterThanOrEqual(3);
        expect(outcomes).toContain('ack');
      }
      expect(outputs).toEqual(undisturbed);
    });
  });

  it.each(OTHER_OPENINGS)('sums the same with $evaluation in $threads threads', async (opening) => {
    const { outputs } = await runWith(opening, { name: 'undisturbed', ackDeadlineMs: 60_000, urls: standIns.urls });
    expect(outputs).toEqual(undisturbed);
  });

  /** @param counted what the stage has counted, for its line */
  async function runWith(opening: Required<Opening>, stage: Stage, counted?: () => string): Promise<StageResult> {
    const name = `${stage.name}-${opening.evaluation}-${opening.threads}`;
    const beganAt = performance.now();
    const world = await World.create(standIns, input, name, stage.relay !== undefined, opening);
    const ledger = await runSystem(world, stage, join(directory, `${name}.log`));
    const outputs = await outputsOf(world);
    const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);
    const counts = [ledger.summary, `${ledger.redeliveries} redeliveries`, ...(counted ? [counted()] : [])];
    process.stdout.write(`e2e ${name}: ${seconds} s; ${counts.join('; ')}; ${outputs.size} objects\n`);
    const sums = await publishedSums(world);
    expect(sums).toEqual(expected);
    expect(generatedTotals(input, sums)).toEqual(plainTotals(input));
    expect(recordedSums(input, sums)).toEqual(referenceSums(input));
    expect(await world.lostMessages()).toEqual([]);
    expect(await world.leftMessages()).toEqual([]);
    return { outputs, ledger };
  }
});
