import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aggregateMarker, intakeMarker, leaseKey, MARKER_PREFIX } from '../../common/domain/marker.ts';
import { AMAZON, GOOGLE, type Cloud, type CloudWorld, type RunningCloud } from '../support/clouds.ts';
import { startFaultProxy, type Fault, type FaultProxy, type ProxiedRequest } from '../support/fault-proxy.ts';
import { logLines } from '../support/log-lines.ts';
import {
  aggregateMessage,
  argumentsOf,
  batchAt,
  IN_INTAKE,
  IN_WINDOW,
  intakeMessage,
  objectsOf,
  runPublisherCommand,
  WINDOW,
  type Ran,
} from '../support/publisher.ts';

/* Faults between the publisher and the clouds, in the program with all its wiring, one request after the other. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const FAULTS: readonly Fault[] = [{ status: 503 }, { status: 429 }, 'reset', 'reset-after', 'reset-in-body'];
const BATCHES = [1, 2, 3];
/** As Google has it; Amazon's answer to a look at a bucket has no body. */
const DENIED = JSON.stringify({ error: { code: 403, message: 'denied' } });

type Service = 'storage' | 'queue';
type Decide = (service: Service, request: Pick<ProxiedRequest, 'method' | 'url'>) => Fault | undefined;

describe.each<[Cloud, Readonly<Partial<Record<Service, string>>>]>([
  [GOOGLE, { storage: 'STORAGE_EMULATOR_HOST' }],
  [AMAZON, { storage: 'AWS_ENDPOINT_URL_S3', queue: 'AWS_ENDPOINT_URL_SNS' }],
])('on $name', (cloud, variables) => {
  describe.skipIf(cloud.isMissing(`faults on ${cloud.name}`))('with its stand-ins', () => {
    let running: RunningCloud;
    const proxies: FaultProxy[] = [];
    let decide: Decide = () => undefined;

    beforeAll(async () => {
      running = await cloud.start();
      const env: Record<string, string> = { ...running.env };
      for (const [service, variable] of Object.entries(variables) as [Service, string][]) {
        const proxy = await startFaultProxy(running.env[variable]!, (request) => decide(service, request));
        proxies.push(proxy);
        env[variable] = proxy.url;
      }
      for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    });
    afterAll(async () => {
      vi.unstubAllEnvs();
      await Promise.all(proxies.map((proxy) => proxy[Symbol.asyncDispose]()));
      await running[Symbol.asyncDispose]();
    });

    async function filledWorld(): Promise<CloudWorld> {
      const world = await running.newWorld();
      const summable = batchAt(IN_WINDOW);
      const incoming = BATCHES.map((n) => batchAt(IN_INTAKE, n));
      await world.write(
        'ingestion',
        [...incoming, summable].flatMap((batch) => objectsOf('a', batch, 'batch')),
      );
      await world.write('ownValidation', objectsOf('a', summable, 'validity_1'));
      await world.write('peerValidation', objectsOf('a', summable, 'validity_0'));
      return world;
    }

    const publish = (world: CloudWorld): Promise<Ran> =>
      runPublisherCommand(
        argumentsOf({ ...world.options, 'max-enqueue-workers': '2' }),
        running.env['PUBSUB_EMULATOR_HOST'] === undefined
          ? {}
          : { PUBSUB_EMULATOR_HOST: running.env['PUBSUB_EMULATOR_HOST'] },
      );

    const ALL_MARKERS = [aggregateMarker('a', WINDOW), ...BATCHES.map((n) => intakeMarker('a', batchAt(IN_INTAKE, n)))];
    const INTAKE = BATCHES.map((n) => intakeMessage('a', n));
    const AGGREGATE = [aggregateMessage('a', WINDOW, [batchAt(IN_WINDOW)])];

    const leaseOf = async (world: CloudWorld): Promise<unknown> =>
      JSON.parse(await world.read('ownValidation', leaseKey('a')));
    const GIVEN_BACK = { 'expires-at': '1970-01-01T00:00:00.000Z' };

    it('a fault of each kind, at each request in turn, is got over', async () => {
      let requests = 0;
      decide = () => void requests++;
      expect((await publish(await filledWorld())).status).toBe(0);
      const total = requests;
      expect(total).toBeGreaterThan(15);

      for (let n = 1; n <= total; n++) {
        const fault = FAULTS[n % FAULTS.length]!;
        const world = await filledWorld();
        let [seen, struck] = [0, ''];
        decide = (service, { method, url }) => {
          if (++seen !== n) return undefined;
          struck = `${service} ${method} ${url}`;
          return fault;
        };
        const { status, stderr } = await publish(world);
        const told = `${JSON.stringify(fault)} at request ${n} of ${total}, ${struck}: ${stderr}`;
        expect(status, told).toBe(0);
        expect(await world.keys('ownValidation', MARKER_PREFIX), told).toEqual(ALL_MARKERS);
        // A message whose answer is lost is sent again.
        expect([...new Set(await world.messages('intakeTasks'))].toSorted(), told).toEqual(INTAKE);
        expect([...new Set(await world.messages('aggregateTasks'))], told).toEqual(AGGREGATE);
        expect(await leaseOf(world), told).toMatchObject(GIVEN_BACK);
      }
      decide = () => undefined;
    });

    it.each(['ingestor-input', 'own-validation-input', 'peer-validation-input'])(
      'a bucket of --%s that is denied ends the run with 77 before any work, and names option and permission',
      async (option) => {
        const world = await filledWorld();
        const bucket = world.options[option]!.replace('/prefix', '').split('/').at(-1)!;
        decide = (service, { url }) =>
          service === 'storage' && url.includes(bucket) ? { status: 403, body: DENIED } : undefined;
        const { status, stderr } = await publish(world);
        decide = () => undefined;
        expect(status, stderr).toBe(77);
        const error = logLines(stderr).find(({ severity }) => severity === 'ERROR');
        expect(error).toMatchObject({ error_code: 'E_PERMISSION_DENIED' });
        expect(error?.['error']).toMatch(new RegExp(`^--${option}: .*${bucket}.*(?:storage\\.|s3:)[A-Za-z.]+`));
        expect(await world.keys('ownValidation', 'task-')).toEqual([]);
        expect(await world.messages('intakeTasks')).toEqual([]);
      },
    );

    it('a fault that stays at each request in turn fails the run, and leaves no marker without its task', async () => {
      const world = await filledWorld();
      let requests = 0;
      decide = () => void requests++;
      await publish(world);
      const total = requests;

      for (let n = 1; n <= total; n += 2) {
        const broken = await filledWorld();
        let seen = 0;
        // From there on everything of the kind fails, by an answer that no repetition could change.
        let kind: string | undefined;
        decide = (service, { method, url }) => {
          const of = `${service} ${method} ${/lease/.test(url) ? 'lease' : ''}`;
          if (++seen === n) kind = of;
          return kind === of ? { status: 501 } : undefined;
        };
        const { status, stderr } = await publish(broken);
        decide = () => undefined;
        const told = `request ${n} of ${total} and ${kind}: ${stderr}`;
        // A lease that cannot be given back expires, which is no failure.
        if (stderr.includes('lease could not be given back') && status === 0) continue;
        expect(status, told).toBe(1);
        expect(logLines(stderr).some(({ severity }) => severity === 'ERROR')).toBe(true);
        const markers = await broken.keys('ownValidation', MARKER_PREFIX);
        const published = [
          ...(await broken.messages('intakeTasks')).map((body) => ALL_MARKERS[1 + INTAKE.indexOf(body)]),
          ...(await broken.messages('aggregateTasks')).map(() => ALL_MARKERS[0]),
        ];
        for (const marker of markers) expect(published, told).toContain(marker);

        // Whatever was left, the next run does.
        const next = await publish(broken);
        if (/another run/.test(next.stderr)) continue;
        expect(next.status, `${told}\n${next.stderr}`).toBe(0);
        expect(await broken.keys('ownValidation', MARKER_PREFIX), told).toEqual(ALL_MARKERS);
      }
    });
  });
});
