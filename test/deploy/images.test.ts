import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../support/repository.ts';

/*
 * The images as file trees, which deploy/images/file-tree.mjs makes without an engine, as the Dockerfiles do: complete,
 * no more than that, and both programs run from them.
 */

const PROGRAMS = ['facilitator', 'workflow-manager'] as const;
type Program = (typeof PROGRAMS)[number];

interface FileTrees {
  readonly buildFileTree: (program: Program, target: string) => void;
}
interface Checks {
  readonly MAX_MEGABYTES: number;
  readonly faultsOf: (program: Program, tree: string) => string[];
  readonly measure: (tree: string) => { readonly total: number; readonly code: number };
  readonly runAll: (
    node: string,
    trees: Readonly<Record<Program, string>>,
    scratch: string,
    nowMs: number,
  ) => Promise<void>;
}

// Plain JavaScript, as a build stage runs it; the interfaces above say what of it is used here.
const { buildFileTree } = (await import(`${REPOSITORY}deploy/images/file-tree.mjs`)) as FileTrees;
const checks = (await import(`${REPOSITORY}deploy/images/check.mjs`)) as Checks;

let scratch: string;
let trees: Record<Program, string>;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'dsp-images-'));
  trees = { facilitator: join(scratch, 'facilitator'), 'workflow-manager': join(scratch, 'workflow-manager') };
  for (const program of PROGRAMS) buildFileTree(program, trees[program]);
}, 120_000);

afterAll(() => rm(scratch, { recursive: true }));

describe.each(PROGRAMS)('the file tree of %s', (program) => {
  it('has all that its code names, and nothing else', () => {
    expect(checks.faultsOf(program, trees[program])).toEqual([]);
  });

  it('is small', () => {
    const { total, code } = checks.measure(trees[program]);
    expect(total).toBeLessThan(checks.MAX_MEGABYTES);
    expect(code).toBeLessThan(2);
  });
});

it('runs both programs: help, a batch through both servers, clouds that refuse', async () => {
  await checks.runAll(process.execPath, trees, scratch, Date.now());
}, 240_000);

/** Too much, by what is said of it. */
const TOO_MUCH: Readonly<Record<Program, Readonly<Record<string, string>>>> = {
  'workflow-manager': {
    'dist/facilitator/crypto/agreement.js': 'is not for workflow-manager',
    'dist/facilitator/prio/kernel.wasm': 'is not for workflow-manager',
    'node_modules/avsc/lib/index.js': 'is not for workflow-manager',
  },
  facilitator: {
    'dist/workflow-manager/main.js': 'is not for facilitator',
    'node_modules/@kubernetes/client-node/index.js': 'is not for facilitator',
    'dist/common/errors.js.map': 'is a source map',
    'dist/bench/main.js': 'has no place in an image',
    'test/vectors/x.json': 'has no place in an image',
    'node_modules/pino/pino.d.ts': 'is TypeScript',
    'node_modules/.bin/tsc': 'is of npm',
    'node_modules/pino/addon.node': 'is machine code',
    'node_modules/typescript/package.json': 'is for development',
    'node_modules/@napi-rs/nice/package.json': 'is optional',
    'node_modules/left-pad/package.json': 'is not in package-lock.json',
  },
};
/** Needed, by who misses it. */
const MISSED: Readonly<Record<Program, Readonly<Record<string, string>>>> = {
  'workflow-manager': { 'node_modules/@kubernetes/client-node': 'needs @kubernetes/client-node' },
  facilitator: {
    'dist/facilitator/prio/layout.js': 'needs ./layout.js',
    'dist/facilitator/packets/engine-thread.js': 'needs /dist/facilitator/packets/engine-thread.js',
    'dist/facilitator/prio/kernel.wasm': 'needs /dist/facilitator/prio/kernel.wasm',
    'node_modules/avsc/lib/containers.js': 'needs ./containers',
    'node_modules/google-gax/build/protos': 'needs ../protos',
  },
};

describe.each(PROGRAMS)('the check of %s', (program) => {
  it('finds what is too much', () => {
    const app = join(trees[program], 'app');
    const undo = Object.keys(TOO_MUCH[program]).map((path) => {
      const file = join(app, path);
      const made = mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, path.endsWith('package.json') ? '{ "name": "x", "version": "1.0.0" }' : '');
      return (): void => rmSync(made ?? file, { recursive: true, force: true });
    });
    try {
      const faults = checks.faultsOf(program, trees[program]);
      for (const [path, fault] of Object.entries(TOO_MUCH[program])) {
        expect(faults).toContain(`${path.replace(/\/package\.json$/, '')} ${fault}`);
      }
    } finally {
      for (const one of undo) one();
    }
  });

  it('finds what is missing', () => {
    const moves = Object.keys(MISSED[program]).map((path, i): [string, string] => [
      join(trees[program], 'app', path),
      join(scratch, `aside-${i}`),
    ]);
    for (const [file, aside] of moves) renameSync(file, aside);
    try {
      const faults = checks.faultsOf(program, trees[program]);
      for (const fault of Object.values(MISSED[program])) expect(faults.join('\n')).toContain(fault);
    } finally {
      for (const [file, aside] of moves) renameSync(aside, file);
    }
  });
});
