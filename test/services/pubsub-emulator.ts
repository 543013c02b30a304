import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cannotRun } from '../support/skip.ts';
import { startService, type Service } from './service.ts';

/** Inside the Google Cloud SDK. */
const FOLDER = 'platform/pubsub-emulator/lib';
const JAR = /^cloud-pubsub-emulator-.*-all\.jar$/;

/** `undefined` if there is none. */
function findJar(): string | undefined {
  const gcloud = onPath('gcloud');
  if (gcloud === undefined) return undefined;
  return jarOf(dirname(dirname(realpathSync(gcloud)))) ?? jarOf(sdkRoot(gcloud));
}

function jarOf(sdk: string): string | undefined {
  const folder = join(sdk, FOLDER);
  const name = existsSync(folder) ? readdirSync(folder).find((file) => JAR.test(file)) : undefined;
  return name === undefined ? undefined : join(folder, name);
}

/** What `gcloud` itself says takes it a second. */
function sdkRoot(gcloud: string): string {
  return execFileSync(gcloud, ['info', '--format=value(installation.sdk_root)'], { encoding: 'utf8' }).trim();
}

function onPath(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** As `withoutTools`, for `startPubSubEmulator`. */
export function withoutPubSubEmulator(what: string): boolean {
  if (process.env['CI'] === 'true') return false;
  const isThere = onPath('java') !== undefined && findJar() !== undefined;
  return cannotRun(isThere, `${what}: needs java and the Pub/Sub emulator of the Google Cloud SDK`);
}

/** The emulator speaks gRPC and REST at one port. A fact to know: it has no IAM, and takes messages of any size. */
export function startPubSubEmulator(): Promise<Service> {
  const jar = findJar();
  if (jar === undefined) throw new Error('there is no Pub/Sub emulator: install it with the Google Cloud SDK');
  return startService({
    name: 'pubsub-emulator',
    command: 'java',
    args: (port) => ['-Xmx256m', '-jar', jar, '--host=127.0.0.1', `--port=${port}`],
    isReady: async (url) => (await fetch(url)).ok,
  });
}
