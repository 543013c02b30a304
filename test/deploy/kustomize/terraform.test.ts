import { execFileSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../support/repository.ts';
import { temporaryDirectory } from '../../support/temp-directory.ts';
import { KEY, signingRequest } from '../../facilitator/manifest/manifests.ts';
import { DEPLOYMENTS, INSTANCE, variablesOf, type Cloud } from '../../terraform/deployments.ts';
import { openWorkspace, withoutTerraform } from '../../terraform/terraform.ts';
import { workloadsOf } from './objects.ts';
import { parseContainer } from './parse.ts';
import { KUSTOMIZE, objectsIn, render } from './render.ts';

const MODULE = 'modules/data-share-processor/rendering';
const LIMIT_MS = 120_000;

/** As the modules of the clouds call them. */
const ACCOUNTS = { publisher: 'workflow-manager-g-enpa', intake: 'intake-batch-g-enpa', aggregate: 'aggregate-g-enpa' };

const OVERLAYS: readonly (readonly ['gke' | 'eks', Cloud, string])[] = [
  ['gke', 'google', 'subscription_id=\\"prod-us-ct-g-enpa-aggregate\\"'],
  ['eks', 'aws', 'https://sqs.eu-west-1.amazonaws.com/012345678901/prod-us-ct-g-enpa-aggregate'],
];

describe.skipIf(withoutTerraform('kustomize with what terraform renders', 'kubectl'))('add-ingestor', () => {
  const directory = temporaryDirectory();
  const workspace = openWorkspace();
  beforeAll(async () => void (await workspace.succeed(MODULE, 'init', '-input=false')), LIMIT_MS);
  afterAll(() => workspace[Symbol.dispose]());

  async function valuesAt(cloud: Cloud): Promise<string> {
    const deployment = DEPLOYMENTS.find(({ own }) => own === cloud)!;
    const variables = variablesOf(deployment, { signing: KEY.pem, encryption: signingRequest(KEY) }) as {
      instances: Record<string, object>;
    };
    const instance = { ...variables.instances[INSTANCE], service_accounts: ACCOUNTS };
    const file = join(workspace.root, MODULE, 'terraform.tfvars.json');
    writeFileSync(file, JSON.stringify({ ...variables, instances: { [INSTANCE]: instance } }));
    await workspace.succeed(MODULE, 'apply', '-auto-approve', '-input=false');
    const { stdout } = await workspace.succeed(MODULE, 'output', '-json', 'kustomize_files');
    return (JSON.parse(stdout) as Record<string, string>)[`${INSTANCE}.json`]!;
  }

  it.each(OVERLAYS)(
    'takes the file that terraform renders, at %s, and the programs accept what comes of it',
    async (overlay, cloud, queue) => {
      const root = join(directory(), 'kustomize');
      cpSync(KUSTOMIZE, root, { recursive: true });
      const file = join(directory(), `${INSTANCE}.json`);
      writeFileSync(file, await valuesAt(cloud));
      const path = join(root, 'overlays', overlay);
      execFileSync(process.execPath, [join(REPOSITORY, 'deploy/kustomize/add-ingestor.mjs'), path, file]);
      const objects = objectsIn(render(path)).filter(({ metadata }) => metadata.namespace === 'us-ct');
      const workloads = workloadsOf(objects);
      expect(workloads.map(({ template }) => template.spec.serviceAccountName).toSorted()).toEqual(
        Object.values(ACCOUNTS).toSorted(),
      );
      for (const { template } of workloads) {
        const parsed = await parseContainer(template.spec.containers[0]!, template.spec, objects);
        expect(parsed).toMatchObject({ status: 0, said: '', foreignOptions: [] });
      }
      const scalers = objects.filter(({ kind }) => kind === 'ScaledObject').map(({ spec }) => JSON.stringify(spec));
      expect(scalers.filter((spec) => spec.includes(queue))).toHaveLength(1);
    },
    LIMIT_MS,
  );
});
