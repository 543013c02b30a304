import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AMAZON, GOOGLE, type RunningCloud } from '../support/clouds.ts';
import { librariesIn, modulesOf } from '../support/loaded-modules.ts';
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

/** A tenth more than there are; backends of clouds and what lays help out would be 80 more, each about 0.5 ms of CPU. */
const MOST_MODULES = 145;
const MOST_MODULES_BEFORE_ANY_LOG = 100;

/** What a run loads that succeeds. */
async function loaded(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const { ended, modules } = await modulesOf(WORKFLOW_MANAGER, args, join(root(), 'coverage'), { env });
  expect(ended, ended.stderr).toMatchObject({ status: 0 });
  return modules;
}

it('on directories loads none, and little else', async () => {
  mkdirSync(placesIn(root()).ingestion);
  const modules = await loaded(argumentsOf(publisherOptions(root())));
  expect(librariesIn(modules, [...LIBRARIES, 'yargs'])).toEqual([]);
  expect(modules.length).toBeLessThan(MOST_MODULES);
});

it('--version loads none, nor a logger', async () => {
  const modules = await loaded(['--version']);
  expect(librariesIn(modules, [...LIBRARIES, 'yargs', 'pino'])).toEqual([]);
  expect(modules.length).toBeLessThan(MOST_MODULES_BEFORE_ANY_LOG);
});

it('--help loads none, nor a logger', async () => {
  expect(librariesIn(await loaded(['--help']), [...LIBRARIES, 'pino'])).toEqual([]);
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
      expect(librariesIn(await loaded(args, running.env), LIBRARIES)).toEqual(libraries);
    });
  });
});
