import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationInvalid } from '../../common/errors.ts';
import { generateKeys, type DeploymentKeys } from './deployment-keys.ts';
import { describeLoad, planLoad, type LoadOptions, type PlannedAggregation } from './plan.ts';

/** What the first run in a directory decides and later runs go on with. */
export interface Deployment {
  readonly load: LoadOptions;
  readonly keys: DeploymentKeys;
  readonly aggregations: readonly PlannedAggregation[];
}

const FILE = 'deployment.json';

export interface NewDeployment {
  readonly now: Date;
  readonly random: (length: number) => Uint8Array;
}

/**
 * The deployment in `directory`, made on the first call.
 * @throws ConfigurationInvalid if the directory holds one of another size
 */
export async function openDeployment(
  directory: string,
  load: LoadOptions,
  { now, random }: NewDeployment,
): Promise<Deployment> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, FILE);
  const existing = await read(path);
  if (existing) {
    if (describeLoad(existing.load) === describeLoad(load)) return existing;
    throw new ConfigurationInvalid(
      `${directory} holds a deployment of ${describeLoad(existing.load)}; give the same numbers to continue it, or another --directory`,
    );
  }
  const deployment = { load, keys: generateKeys(), aggregations: planLoad(load, now, random) };
  // It holds private keys, and must be whole or not there: everything else is made with what it says.
  await writeFile(`${path}.new`, JSON.stringify(deployment, null, 1), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return deployment;
}

async function read(path: string): Promise<Deployment | undefined> {
  const text = await readFile(path, 'utf8').catch((err: unknown) => {
    if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return undefined;
    throw err;
  });
  // Written by `openDeployment`; its only values that JSON does not bring back are the times.
  return text === undefined ? undefined : (JSON.parse(text, timesAsDates) as Deployment);
}

function timesAsDates(key: string, value: unknown): unknown {
  return (key === 'time' || key === 'begin' || key === 'end') && typeof value === 'string' ? new Date(value) : value;
}
