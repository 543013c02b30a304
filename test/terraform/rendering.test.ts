import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEnqueuer, openTaskQueue } from '../../common/backends/queue/open.ts';
import type { Command } from '../../common/runtime/command.ts';
import { readConfigFile, type ConfigFile } from '../../common/runtime/config-file.ts';
import { readOptions, type OptionSources, type OptionTable } from '../../common/runtime/options.ts';
import { aggregateWorkerCommand } from '../../facilitator/commands/aggregate-worker.ts';
import { intakeBatchWorkerCommand } from '../../facilitator/commands/intake-batch-worker.ts';
import { workerOptions } from '../../facilitator/commands/worker-setup.ts';
import { lintManifest } from '../../facilitator/manifest/lint.ts';
import type { ManifestKind } from '../../facilitator/manifest/manifest-kind.ts';
import { commonCredentialOptions, credentialOptions, credentialsOf } from '../../facilitator/storage-options.ts';
import { openAs, openerOf } from '../../facilitator/wire.ts';
import { publishCommand } from '../../workflow-manager/command.ts';
import { publisherOptions } from '../../workflow-manager/options.ts';
import { KEY, signingRequest } from '../facilitator/manifest/manifests.ts';
import { DEPLOYMENTS, INSTANCE, variablesOf, type Cloud, type Deployment } from './deployments.ts';
import { openWorkspace, withoutTerraform } from './terraform.ts';

const MODULE = 'modules/data-share-processor/rendering';
const LIMIT_MS = 120_000;

/** A program's options, by name. */
type Options = Readonly<Record<string, string>>;
type Program = 'workflow-manager' | 'intake-batch-worker' | 'aggregate-worker';

interface Rendered {
  /** By file name, JSON. */
  readonly manifests: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<Program, Options>>;
}

const COMMANDS: Readonly<Record<Program, Command>> = {
  'workflow-manager': publishCommand,
  'intake-batch-worker': intakeBatchWorkerCommand,
  'aggregate-worker': aggregateWorkerCommand,
};

/** What kustomize mounts, which Terraform never sees. */
const MOUNTED: Options = {
  'batch-signing-private-key-file': '/etc/dsp/batch-signing/secret_key',
  'batch-signing-private-key-default-identifier': 'signing-1',
  'packet-decryption-keys-file': '/etc/dsp/packet-decryption/secret_key',
};

function sourcesOf(config: ConfigFile, mounted: Options = {}): OptionSources {
  const commandLine = new Map(Object.entries(mounted).map(([name, value]) => [name, [value]]));
  return { commandLine, env: {}, envPrefix: 'DSP', config };
}

function configOf(options: Options, known: OptionTable): Promise<ConfigFile> {
  return readConfigFile('options.json', { readFile: async () => JSON.stringify(options), known });
}

/** A location of others at that cloud. */
const elsewhere = (cloud: Cloud): string => (cloud === 'aws' ? 's3://eu-west-1/elsewhere' : 'gs://elsewhere');

const titled = DEPLOYMENTS.map(
  (deployment) => [`${deployment.own}, ${deployment.peer}, ${deployment.portal}`, deployment] as const,
);

describe.skipIf(withoutTerraform('what terraform/ renders'))('the rendering of terraform/', () => {
  const workspace = openWorkspace();
  const rendered = new Map<Deployment, Rendered>();
  afterAll(() => workspace[Symbol.dispose]());

  beforeAll(async () => {
    await workspace.succeed(MODULE, 'init', '-input=false');
    const keys = { signing: KEY.pem, encryption: signingRequest(KEY) };
    for (const deployment of DEPLOYMENTS) {
      const file = join(workspace.root, MODULE, 'terraform.tfvars.json');
      writeFileSync(file, JSON.stringify(variablesOf(deployment, keys)));
      await workspace.succeed(MODULE, 'apply', '-auto-approve', '-input=false');
      const { stdout } = await workspace.succeed(MODULE, 'output', '-json');
      const outputs = JSON.parse(stdout) as Record<string, { readonly value: Record<string, string> }>;
      const values = outputs['kustomize_files']!.value[`${INSTANCE}.json`]!;
      rendered.set(deployment, {
        manifests: outputs['manifests']!.value,
        values: JSON.parse(values) as Rendered['values'],
      });
    }
  }, LIMIT_MS);

  /** `beforeAll` has filled it. */
  const of = (deployment: Deployment): Rendered => rendered.get(deployment)!;

  describe.each(titled)('for a server, its peer and its portal at %s', (_, deployment) => {
    it.each(Object.keys(COMMANDS) as Program[])('gives %s options that it accepts', async (program) => {
      const command = COMMANDS[program];
      const options = of(deployment).values[program];
      const config = await configOf(options, command.options);
      const mounted = program === 'workflow-manager' ? {} : MOUNTED;
      expect(() => command.bind({ ...sourcesOf(config, mounted), words: [] })).not.toThrow();
    });

    it('names topics and queues that can be', async () => {
      const { values } = of(deployment);
      const publisher = readOptions(
        publisherOptions,
        sourcesOf(await configOf(values['workflow-manager'], publisherOptions)),
      );
      const settings = { clock: () => new Date(0), gcpProjectId: publisher['gcp-project-id'] };
      for (const topic of [publisher['intake-tasks-topic'], publisher['aggregate-tasks-topic']]) {
        const options = { ...settings, awsSnsRegion: publisher['aws-sns-region'] };
        await using enqueuer = await openEnqueuer(publisher['task-queue-kind'], topic, options);
        expect(enqueuer.url).toContain(`prod-${INSTANCE}`);
      }
      for (const program of ['intake-batch-worker', 'aggregate-worker'] as const) {
        const options = values[program];
        const table = COMMANDS[program].options;
        const args = readOptions(workerOptions, sourcesOf(await configOf(options, table)));
        await using queue = await openTaskQueue(args['task-queue-kind'], args['task-queue-name'], {
          ...settings,
          rejectedTopic: args['rejected-topic'],
          awsSqsRegion: args['aws-sqs-region'],
        });
        expect(queue.url).toContain(`prod-${INSTANCE}`);
      }
    });

    it('says whom to be at the peer and the portal in a way that their clouds take', async () => {
      const { values } = of(deployment);
      for (const [party, program, cloud] of [
        ['peer', 'intake-batch-worker', deployment.peer],
        ['portal', 'aggregate-worker', deployment.portal],
      ] as const) {
        const table = { ...credentialOptions(party), ...commonCredentialOptions };
        const args = readOptions(table, sourcesOf(await configOf(values[program], COMMANDS[program].options)));
        // Those of one party or the other, which the compiler does not tell apart.
        const credentials = credentialsOf(args as never, party);
        const options = { location: `--${party}-output`, identity: `--${party}-identity` };
        expect(openAs(openerOf(elsewhere(cloud)), credentials, options).url).toContain('elsewhere');
      }
    });

    it.each<[ManifestKind, string]>([
      ['data-share-processor-global', 'global-manifest.json'],
      ['data-share-processor-specific', `${INSTANCE}-manifest.json`],
    ])('publishes a %s manifest that our own lint finds nothing in', (kind, file) => {
      const settings = {
        now: new Date('2026-11-20T10:00:00Z'),
        locationFault: (location: string) => (openerOf(location) ? undefined : 'it is none'),
      };
      expect(lintManifest(kind, Buffer.from(of(deployment).manifests[file]!), file, settings)).toEqual([]);
    });
  });

  it.each<[string, Deployment, Options, readonly string[]]>([
    [
      'as our account, from Google to Google',
      { own: 'google', peer: 'google', portal: 'google' },
      { 'peer-identity': 'prio-prod@my-project.iam.gserviceaccount.com' },
      ['peer-gcp-sa-to-impersonate-before-assuming-role', 'gcp-workload-identity-pool-provider'],
    ],
    [
      'by a role that our account assumes, from Google to AWS',
      { own: 'google', peer: 'aws', portal: 'google' },
      { 'peer-gcp-sa-to-impersonate-before-assuming-role': 'prio-prod@my-project.iam.gserviceaccount.com' },
      // The peer's manifest says which role.
      ['peer-identity', 'gcp-workload-identity-pool-provider'],
    ],
    [
      'by the pool, from AWS to Google',
      { own: 'aws', peer: 'google', portal: 'google' },
      {
        'peer-identity': 'prio-prod@my-project.iam.gserviceaccount.com',
        'gcp-workload-identity-pool-provider':
          'projects/123456789012/locations/global/workloadIdentityPools/prio-prod-a/providers/aws',
      },
      ['peer-use-default-aws-credentials-provider'],
    ],
    [
      'as the role of the pod, from AWS to AWS',
      { own: 'aws', peer: 'aws', portal: 'google' },
      { 'peer-use-default-aws-credentials-provider': 'true' },
      ['peer-identity', 'gcp-workload-identity-pool-provider'],
    ],
  ])('writes to the peer %s', (_, deployment, present, absent) => {
    const same = DEPLOYMENTS.find(
      ({ own, peer, portal }) => own === deployment.own && peer === deployment.peer && portal === deployment.portal,
    );
    const options = of(same!).values['intake-batch-worker'];
    expect(options).toMatchObject(present);
    expect(Object.keys(options).filter((name) => absent.includes(name))).toEqual([]);
  });

  it('never puts anything secret among them', () => {
    for (const { values } of rendered.values()) {
      for (const program of Object.keys(COMMANDS) as Program[]) {
        const secret = Object.entries(COMMANDS[program].options).filter(([, spec]) => spec.secret);
        expect(Object.keys(values[program]).filter((name) => secret.some(([other]) => other === name))).toEqual([]);
      }
    }
  });
});
