import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/child-process.ts';
import { AMAZON, GOOGLE, type RunningCloud } from '../support/clouds.ts';
import {
  argumentsOf,
  batchAt,
  IN_INTAKE,
  NOW,
  objectsOf,
  placesIn,
  publisherOptions,
  WORKFLOW_MANAGER,
} from '../support/publisher.ts';
import { temporaryDirectory } from '../support/temp-directory.ts';

/* That a run loads no library of a cloud that it does not use: each takes 50 to 600 ms. */

const root = temporaryDirectory();

const LIBRARIES = ['@google-cloud/storage', '@google-cloud/pubsub', '@aws-sdk', '@kubernetes', 'prom-client'];

/** Which of the libraries a run loads, as V8 tells of all scripts. */
async function librariesOf(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const directory = join(root(), 'coverage');
  const ended = await run(WORKFLOW_MANAGER, args, { env: { ...env, NODE_V8_COVERAGE: directory } });
  expect(ended, ended.stderr).toMatchObject({ status: 0 });
  const texts = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'));
  expect(texts.some((text) => text.includes('workflow-manager/main.js'))).toBe(true);
  return LIBRARIES.filter((library) => texts.some((text) => text.includes(`node_modules/${library}`)));
}

it('on directories loads none', async () => {
  mkdirSync(placesIn(root()).ingestion);
  expect(await librariesOf(argumentsOf(publisherOptions(root())))).toEqual([]);
});

it('--help loads none', async () => {
  expect(await librariesOf(['--help'])).toEqual([]);
});

describe.each([
  [GOOGLE, ['@google-cloud/storage'], ['@google-cloud/storage', '@google-cloud/pubsub']],
  [AMAZON, ['@aws-sdk'], ['@aws-sdk']],
] as const)('on $name', (cloud, idle, busy) => {
  describe.skipIf(cloud.isMissing(`loading libraries of ${cloud.name}`))('with its stand-ins', () => {
    let running: RunningCloud;
    beforeAll(async () => {
      running = await cloud.start();
    }, 60_000);
    afterAll(() => running[Symbol.asyncDispose]());

    it.each([
      ['nothing to do', [], idle],
      ['something to publish', objectsOf('a', batchAt(IN_INTAKE), 'batch'), busy],
    ] as const)('loads what it needs: %s', async (_, objects, libraries) => {
      const world = await running.newWorld();
      await world.write('ingestion', objects);
      const args = argumentsOf({ ...world.options, 'as-of': NOW.toISOString() });
      expect(await librariesOf(args, running.env)).toEqual(libraries);
    });
  });
});
