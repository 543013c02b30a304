import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentKeys } from '../../deploy/local/deployment-keys.ts';
import { sampleData } from '../../facilitator/sample/sample-data.ts';
import { NPM_START, run, start, type Ended } from '../support/child-process.ts';
import { keyFragmentsIn } from '../support/key-fragments.ts';
import { logLines } from '../support/log-lines.ts';
import { filesIn } from '../support/temp-directory.ts';
import { cannotRun } from '../support/skip.ts';

const LOAD = { aggregations: 2, batches: 4, packets: 80, bins: 7 };
const STAGES = [
  ['recorded batches: intake', 6],
  ['recorded batches: aggregate', 2],
  ['load: samples', 4],
  ['load: intake', 8],
  ['load: aggregate', 4],
] as const;

const argumentsOf = (directory: string, load: Readonly<Record<string, number>> = LOAD): string[] => [
  ...['--directory', directory],
  ...Object.entries(load).flatMap(([name, value]) => [`--${name}`, String(value)]),
];
const npmStart = (directory: string, load?: Readonly<Record<string, number>>): Promise<Ended> =>
  run(NPM_START, argumentsOf(directory, load));

/** The parts of a `deployment.json` that matter here. */
interface Plan {
  readonly keys: DeploymentKeys;
  readonly aggregations: readonly { readonly batches: readonly { readonly id: string; readonly packets: number }[] }[];
}
const planIn = (directory: string): Plan => JSON.parse(readFileSync(`${directory}/deployment.json`, 'utf8')) as Plan;

const lastLine = (text: string): string | undefined => text.trimEnd().split('\n').at(-1);

/** SHA-256 of every object, by path; logs grow at each run. */
function objectsIn(directory: string): Map<string, string> {
  const names = filesIn(directory).filter((name) => !name.endsWith('.log'));
  const digest = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(directory, name)))
      .digest('hex');
  return new Map(names.map((name) => [name, digest(name)]));
}

/** Ordinary addition of the plain data, one histogram an aggregation. */
function plainSums({ aggregations }: Plan): number[][] {
  return aggregations.map(({ batches }) => {
    const data = batches.flatMap(({ id, packets }) =>
      Array.from({ length: packets }, (_, n) => sampleData(id, n, LOAD.bins)),
    );
    return Array.from({ length: LOAD.bins }, (_, bin) => data.reduce((sum, bits) => sum + bits[bin]!, 0));
  });
}

/** The histograms of a report: lines of bin, count and bar. */
function histogramsIn(report: string): number[][] {
  return report.split(/^sample-\d+: .*\n/m).flatMap((text, i) => {
    const rows = [...text.matchAll(/^ +(\d+) +(\d+) █*$/gm)];
    expect(rows.map(([, bin]) => Number(bin))).toEqual(rows.map((_, bin) => bin));
    return i === 0 ? [] : [rows.map(([, , count]) => Number(count))];
  });
}

/** Processes that have the directory among their arguments: those of a run, and the run itself. Only Linux shows them. */
function processesOf(directory: string): number[] {
  const wordsOf = (pid: string): string[] => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    } catch {
      return []; // it has ended meanwhile
    }
  };
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => wordsOf(pid).some((argument) => argument.startsWith(directory))).map(Number);
}

let root: string;
/** A run that has finished; tests that change something make a copy. */
let finished: string;
let first: Ended;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'dsp-local-'));
  finished = join(root, 'finished');
  first = await npmStart(finished);
}, 60_000);
afterAll(() => rmSync(root, { recursive: true }));

function copy(name: string, what = ''): string {
  cpSync(join(finished, what), join(root, name, what), { recursive: true });
  return join(root, name);
}

describe('npm start', () => {
  it('sums what the reference recorded and what it made up itself, and says so', () => {
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(lastLine(first.stdout)).toBe('sums equal the reference: yes');
    expect(first.stdout).toContain('recorded batches: as the reference summed them');
    for (const n of [1, 2]) expect(first.stdout).toContain(`sample-${n}: 2 batches, 40 packets in, 0 rejected`);
    expect(histogramsIn(first.stdout)).toEqual(plainSums(planIn(finished)));
  });

  it('tells each stage as it begins and ends, and how long it took, in plain lines', () => {
    const told = STAGES.flatMap(([name, total]) => [`${name}: ${total} to do`, `${name}: ${total} of ${total} done`]);
    expect(first.stdout.split('\n').slice(0, told.length)).toEqual(told);
    for (const [name] of STAGES) expect(first.stdout).toMatch(new RegExp(`^  ${name} +\\d+\\.\\d\\d$`, 'm'));
    // eslint-disable-next-line no-control-regex -- it is what must not be there
    expect(first.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it('keeps its keys to its owner and out of the logs', () => {
    expect(statSync(join(finished, 'deployment.json')).mode & 0o777).toBe(0o600);
    const { ingestor, signing, packet } = planIn(finished).keys;
    const secrets = [
      ...[ingestor, ...Object.values(signing)].map(({ pkcs8 }) => pkcs8),
      ...Object.values(packet).map((pair) => pair.private),
    ];
    expect(secrets).toHaveLength(5);
    const logs = readdirSync(finished).filter((name) => name.endsWith('.log'));
    expect(logs.sort()).toEqual(['ingestor.log', 'publisher.log', 'recorded.log', 'workers.log']);
    const logged = logs.map((name) => readFileSync(join(finished, name), 'utf8')).join('');
    expect(logLines(logged).length).toBeGreaterThan(30);
    expect(keyFragmentsIn(logged + first.stdout, secrets)).toEqual([]);
  });

  it('repeats nothing that is done', async () => {
    const before = objectsIn(finished);
    expect([...before.keys()].filter((name) => name.endsWith('.sig'))).toHaveLength(
      // The last are the copies of sum parts that aggregate keeps.
      6 * 2 + 2 + 4 * 2 + 8 * 2 + 4 + (2 + 4),
    );
    const again = await npmStart(finished);
    expect(again).toMatchObject({ status: 0, stderr: '' });
    for (const [name, total] of STAGES) {
      expect(again.stdout).toContain(`${name}: 0 to do, ${total} done before\n`);
      expect(again.stdout).toMatch(new RegExp(`^  ${name} +\\d+\\.\\d\\d  \\(${total} done before\\)$`, 'm'));
    }
    expect(histogramsIn(again.stdout)).toEqual(histogramsIn(first.stdout));
    expect(lastLine(again.stdout)).toBe('sums equal the reference: yes');
    expect(objectsIn(finished)).toEqual(before);
  });

  it('does not mix loads: other numbers need another directory', async () => {
    const before = objectsIn(finished);
    const { status, stdout, stderr } = await npmStart(finished, { ...LOAD, packets: 81 });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(logLines(stderr)).toMatchObject([
      {
        error_code: 'E_CONFIGURATION',
        error: `${finished} holds a deployment of 2 aggregations, 4 batches, 80 packets of 7 bins; give the same numbers to continue it, or another --directory`,
      },
    ]);
    expect(objectsIn(finished)).toEqual(before);
  });

  it.each([
    ['an aggregation without batch', { ...LOAD, batches: 1 }, '--batches 1 is too few for --aggregations 2'],
    ['a batch without packet', { ...LOAD, packets: 3 }, '--packets 3 is too few for --batches 4'],
    ['no packets', { ...LOAD, packets: 0 }, '--packets: "0" is no integer from 1'],
    ['257 bins', { ...LOAD, bins: 257 }, '--bins: "257" is no integer from 1 to 256'],
  ])('refuses %s before it makes anything', async (_, load, named) => {
    const directory = join(root, 'refused');
    const { status, stdout, stderr } = await npmStart(directory, load);
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
    expect(stderr).toContain(named);
    expect(stderr).toMatch(/; example: --\w+ \d+\n/);
    expect(filesIn(directory)).toEqual([]);
  });
});

describe('npm start after somebody meddled', () => {
  it('fails, and says which process found what, and goes on once that is mended', async () => {
    const directory = copy('meddled');
    const names = filesIn(`${directory}/recorded`).map((name) => `${directory}/recorded/${name}`);
    const sumPart = names.filter((name) => /\/portal\/.*_1(?:\.avro|\.sig)?$/.test(name));
    expect(sumPart).toHaveLength(3);
    for (const name of sumPart) rmSync(name);
    const [mine, other] = names.filter((name) => /\/facilitator\/own-validation\/.*\.validity_1\.avro$/.test(name));
    const original = readFileSync(mine!);
    writeFileSync(mine!, readFileSync(other!));

    const { status, stdout, stderr } = await npmStart(directory);
    expect(status).toBe(1);
    expect(lastLine(stdout)).toBe('recorded batches: aggregate: 1 of 2 done');
    const [line] = logLines(stderr);
    expect(line!['error']).toMatch(
      /^facilitator aggregate --aggregation-id agg-ordinary --is-first false ended with status 1: E_OWN_VALIDATION, /,
    );
    expect(line!['error']).toContain(basename(mine!, '.avro'));
    expect(line!['error']).toContain(`(log: ${directory}/recorded.log)`);

    writeFileSync(mine!, original);
    const mended = await npmStart(directory);
    expect(mended).toMatchObject({ status: 0, stderr: '' });
    expect(mended.stdout).toContain('recorded batches: aggregate: 1 to do, 1 done before');
    expect(lastLine(mended.stdout)).toBe('sums equal the reference: yes');
  });

  it('fails if a worker gives a task up, and says where to look', async () => {
    const directory = copy('replaced');
    // As if the run had ended when the samples were written.
    for (const name of ['portal', 'pha', 'facilitator']) {
      for (const made of readdirSync(join(directory, name))) {
        if (made !== 'ingestion') rmSync(join(directory, name, made), { recursive: true });
      }
    }
    const names = filesIn(`${directory}/facilitator/ingestion`).map(
      (name) => `${directory}/facilitator/ingestion/${name}`,
    );
    const [mine, other] = names.filter((name) => name.endsWith('.batch.avro'));
    writeFileSync(mine!, readFileSync(other!));

    const { status, stdout, stderr } = await npmStart(directory);
    expect(status).toBe(1);
    expect(stdout).toContain('load: samples: 0 to do, 4 done before');
    expect(stdout).toMatch(/load: intake: \d of 8 done\n$/);
    expect(logLines(stderr)).toMatchObject([
      {
        error: expect.stringContaining(`see ${directory}/facilitator/queues/rejected/ready and the log of the workers`),
      },
    ]);
    expect(logLines(readFileSync(`${directory}/workers.log`, 'utf8'))).toContainEqual(
      expect.objectContaining({
        error_code: 'E_DIGEST_MISMATCH',
        error: expect.stringContaining(basename(mine!)),
        batch_id: basename(mine!, '.batch.avro'),
      }),
    );
    expect(processesOf(directory)).toEqual([]);
  });

  it('does not wait for ever for a result that was removed after its task had been marked', async () => {
    const directory = copy('removed');
    for (const name of filesIn(`${directory}/portal`)) rmSync(`${directory}/portal/${name}`);
    const { status, stderr } = await run(NPM_START, [...argumentsOf(directory), '--lease', '1s']);
    expect(status).toBe(1);
    expect(logLines(stderr)).toMatchObject([
      { error: expect.stringMatching(/^load: aggregate: 4 results are missing, but no task is left/) },
    ]);
    expect(processesOf(directory)).toEqual([]);
  });

  it('tells different sums from equal ones: a plan that says other packets', async () => {
    const directory = copy('other-plan');
    const plan = readFileSync(join(directory, 'deployment.json'), 'utf8');
    // Ten packets fewer, as a single one of seven bins may well hold nothing but zeros.
    writeFileSync(join(directory, 'deployment.json'), plan.replace('"packets": 20', '"packets": 10'));
    const { status, stdout, stderr } = await npmStart(directory);
    expect(status).toBe(1);
    expect(lastLine(stdout)).toBe('sums equal the reference: no');
    expect(stdout).toMatch(/^ +\d+ +\d+ █+  should be \d+$/m);
    expect(logLines(stderr)).toMatchObject([{ error: 'the sums are not those of the reference' }]);
  });
});

const isLinux = process.platform === 'linux';
describe.skipIf(cannotRun(isLinux, 'npm start, interrupted, as processes are found in /proc only'))(
  'npm start, interrupted',
  () => {
    it('ends all that it started, and goes on next time', async () => {
      const directory = copy('interrupted', 'recorded');
      const load = { aggregations: 1, batches: 2, packets: 60, bins: 2 };
      // What a process held when it was ended must not stay held for long.
      const args = [...argumentsOf(directory, load), '--lease', '1s'];
      const { child, ended } = start(NPM_START, args);
      let told = '';
      await new Promise<void>((resolve) => {
        child.stdout?.on('data', (chunk: Buffer) => {
          told += chunk.toString();
          if (told.includes('load: intake: 4 to do')) resolve();
        });
      });
      // The line is there a moment before the processes are.
      while (processesOf(directory).length < 2) await setImmediate();
      child.kill('SIGINT');
      const { status, stdout, stderr } = await ended;
      expect(processesOf(directory)).toEqual([]);
      expect(status).toBe(1);
      expect(stdout).toMatch(/load: intake: \d of 4 done\n$/);
      expect(logLines(stderr)).toMatchObject([{ error: expect.stringContaining('stopped by SIGINT') }]);

      const next = await run(NPM_START, args);
      expect(next).toMatchObject({ status: 0, stderr: '' });
      expect(next.stdout).toContain('load: samples: 0 to do, 2 done before');
      expect(lastLine(next.stdout)).toBe('sums equal the reference: yes');
    });
  },
);
