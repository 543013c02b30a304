import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NPM_START, run, start } from '../support/child-process.ts';
import { isAlive, killHard, processTree } from '../support/process-tree.ts';
import { filesIn } from '../support/temp-directory.ts';

/*
 * kill -9 of any process of the local deployment at any moment, then starting again: the same sums, and every output
 * object byte-identical to an undisturbed run but for signature values.
 */

const MOMENTS = 20;
const LOAD = ['--aggregations', '2', '--batches', '4', '--packets', '40', '--bins', '5', '--lease', '2s'];

let root: string;
let undisturbed: Map<string, string>;
let undisturbedMs: number;
/** Processes that were started by one that was killed; they end by themselves. */
const orphans: number[] = [];

const deploymentIn = (directory: string): string[] => ['--directory', directory, ...LOAD];

/** What the servers wrote, also for each other and for the portal; of leases and signatures only that they are there. */
function outputs(directory: string): Map<string, string> {
  const buckets = [
    'pha/own-validation',
    'pha/peer-validation',
    'facilitator/own-validation',
    'facilitator/peer-validation',
  ];
  const found = new Map<string, string>();
  for (const folder of [...buckets, 'portal']) {
    for (const name of filesIn(join(directory, folder))) {
      if (name.startsWith('.dsp/')) continue;
      const differs = name.endsWith('.sig') || name.endsWith('.lease');
      found.set(`${folder}/${name}`, differs ? '' : readFileSync(join(directory, folder, name), 'hex'));
    }
  }
  return found;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'dsp-killed-'));
  const directory = join(root, 'undisturbed');
  const prepared = await run(NPM_START, deploymentIn(directory));
  expect(prepared.status, prepared.stderr).toBe(0);
  undisturbed = outputs(directory);
  // How long it takes from where the disturbed runs begin.
  prepare(join(root, 'timed'));
  const begin = performance.now();
  expect((await run(NPM_START, deploymentIn(join(root, 'timed')))).status).toBe(0);
  undisturbedMs = performance.now() - begin;
}, 120_000);

afterAll(async () => {
  await vi.waitUntil(() => !orphans.some(isAlive), { timeout: 30_000 });
  await rm(root, { recursive: true });
}, 40_000);

/** A deployment whose samples are there, and nothing else of the load. */
function prepare(directory: string): void {
  mkdirSync(directory);
  for (const name of ['deployment.json', 'recorded', 'pha/ingestion', 'facilitator/ingestion']) {
    cpSync(join(root, 'undisturbed', name), join(directory, name), { recursive: true });
  }
}

/** Kills one process of the deployment, which may be the one that started all others, and waits until it is over. */
async function disturb(directory: string, afterMs: number, choice: number): Promise<string> {
  const { child, ended } = start(NPM_START, deploymentIn(directory));
  let tree: number[] = [];
  const timer = setTimeout(() => {
    tree = processTree(child.pid!);
    killHard(tree[Math.floor(choice * tree.length)]!);
  }, afterMs);
  const { status, signal } = await ended;
  clearTimeout(timer);
  orphans.push(...tree);
  return signal ?? `status ${status}`;
}

describe('kill -9 of a random process of the deployment', () => {
  it('has outputs to compare', () => {
    // 4 batches × 3 objects × 2 servers, own and peer's, and a sealed sum of each; 3 objects of a sum part and its copy × 2 aggregations × 2 servers;
    // markers of 4 batches and 2 windows, 2 claims and 2 leases for each server.
    expect(undisturbed.size).toBe(48 + 8 + 16 + 2 * (4 + 2 + 2 + 2));
  });

  it.concurrent.each(Array.from({ length: MOMENTS }, (_, i) => i))(
    'at random moment %i changes no output once it is started again',
    async (moment) => {
      const directory = join(root, `moment-${moment}`);
      prepare(directory);
      const afterMs = Math.random() * undisturbedMs;
      const choice = Math.random();
      const how = await disturb(directory, afterMs, choice);
      const again = await run(NPM_START, deploymentIn(directory));
      const about = `killed after ${afterMs.toFixed(0)} ms, process ${choice}, first run: ${how}`;
      expect(again.stdout.trimEnd().split('\n').at(-1), `${about}\n${again.stderr}`).toBe(
        'sums equal the reference: yes',
      );
      expect(outputs(directory), about).toEqual(undisturbed);
    },
    120_000,
  );
});
