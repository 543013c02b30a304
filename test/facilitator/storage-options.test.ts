import { describe, expect, it } from 'vitest';
import { ConfigurationInvalid } from '../../common/errors.ts';
import { readOptions } from '../../common/runtime/options.ts';
import {
  commonCredentialOptions,
  credentialOptions,
  credentialsOf,
  optionalStorageOf,
  storageOf,
} from '../../facilitator/storage-options.ts';
import { openTasks, optionalStorage, requiredStorage } from '../../facilitator/wire.ts';
import { commandLine, intakeOptions, sampleOptions } from '../support/command-options.ts';
import { runFacilitator } from '../support/run-facilitator.ts';
import { filesIn, temporaryDirectory } from '../support/temp-directory.ts';

const root = temporaryDirectory();

const ROLE = 'arn:aws:iam::123456789012:role/writer';
const ACCOUNT = 'writer@project.iam.gserviceaccount.com';

const OPTIONS = {
  'peer-output': requiredStorage({ describe: 'd' }),
  ...credentialOptions('peer'),
  'own-output': optionalStorage({ describe: 'd' }),
  ...credentialOptions('own'),
  ...commonCredentialOptions,
};

/** The values of these options. */
function argsOf(given: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const commandLine = new Map(Object.entries({ 'peer-output': '/peer', ...given }).map(([k, v]) => [k, [v]]));
  return readOptions(OPTIONS, { commandLine, env, envPrefix: 'FACILITATOR' });
}

describe('the credentials of a party', () => {
  it('are its own, but for what is common to all', () => {
    const args = argsOf({
      'peer-identity': ROLE,
      'peer-use-default-aws-credentials-provider': 'true',
      'peer-gcp-sa-to-impersonate-before-assuming-role': ACCOUNT,
      'own-identity': ACCOUNT,
      'gcp-service-account-key-file': '/key.json',
      'aws-role-session-name': 'worker-1',
    });
    const common = { gcpKeyFile: '/key.json', gcpWorkloadIdentityPoolProvider: undefined, awsSessionName: 'worker-1' };
    expect(credentialsOf(args, 'peer')).toEqual({
      identity: ROLE,
      useDefaultAwsProvider: true,
      gcpServiceAccountToImpersonate: ACCOUNT,
      ...common,
    });
    expect(credentialsOf(args, 'own')).toEqual({
      identity: ACCOUNT,
      useDefaultAwsProvider: false,
      gcpServiceAccountToImpersonate: undefined,
      ...common,
    });
  });

  it('come from the variables of the reference, where empty ones say nothing', () => {
    const env = {
      PEER_IDENTITY: ROLE,
      PEER_USE_DEFAULT_AWS_CREDENTIALS_PROVIDER: 'true',
      PEER_GCP_SA_TO_IMPERSONATE_BEFORE_ASSUMING_ROLE: '',
      GCP_WORKLOAD_IDENTITY_POOL_PROVIDER: '',
      OWN_IDENTITY: ROLE,
    };
    expect(credentialsOf(argsOf({}, env), 'peer')).toMatchObject({
      identity: ROLE,
      useDefaultAwsProvider: true,
      gcpServiceAccountToImpersonate: undefined,
      gcpWorkloadIdentityPoolProvider: undefined,
    });
    expect(credentialsOf(argsOf({}, env), 'own').identity).toBeUndefined();
  });

  it('may be unset on the command line, by an empty value, whatever the environment says', () => {
    const given = {
      'peer-identity': '',
      'peer-use-default-aws-credentials-provider': '',
      'gcp-service-account-key-file': '',
    };
    const env = { PEER_IDENTITY: ROLE, FACILITATOR_PEER_IDENTITY: ROLE, GCP_SERVICE_ACCOUNT_KEY_FILE: '/k' };
    const unset = { identity: undefined, useDefaultAwsProvider: false, gcpKeyFile: undefined };
    expect(credentialsOf(argsOf(given, env), 'peer')).toMatchObject(unset);
  });
});

describe('a storage of a party', () => {
  it('is opened as whom its options say', () => {
    const open = (location: string, identity: string): string =>
      storageOf(argsOf({ 'peer-output': location, 'peer-identity': identity }), 'peer', 'output').url;
    expect(open('s3://eu-west-1/bucket', ROLE)).toBe('s3://eu-west-1/bucket');
    expect(open('gs://bucket', ACCOUNT)).toBe('gs://bucket');
    expect(open('/peer', '')).toBe('file:///peer');
  });

  it('need not be there where it is optional', () => {
    expect(optionalStorageOf(argsOf({}), 'own', 'output')).toBeUndefined();
    expect(optionalStorageOf(argsOf({ 'own-output': '/own' }), 'own', 'output')?.url).toBe('file:///own');
  });

  it.each<[string, Record<string, string>, string]>([
    ['an identity for a directory', { 'peer-identity': ROLE }, '--peer-identity: file:///peer takes no identity'],
    [
      'an account for S3',
      { 'peer-output': 's3://eu-west-1/bucket', 'peer-identity': ACCOUNT },
      `--peer-identity: "${ACCOUNT}" is no AWS role`,
    ],
    [
      'a role for Google',
      { 'peer-output': 'gs://bucket', 'peer-identity': ROLE },
      `--peer-identity: "${ROLE}" cannot be the identity for gs://bucket`,
    ],
    [
      'an account to impersonate that is none',
      {
        'peer-output': 's3://eu-west-1/bucket',
        'peer-identity': ROLE,
        'peer-gcp-sa-to-impersonate-before-assuming-role': 'writer',
      },
      '--peer-identity: "writer" is no Google service account',
    ],
    [
      'a location that cannot be',
      { 'peer-output': 'gs://us-west1/prefix', 'peer-identity': ACCOUNT },
      '--peer-output: "gs://us-west1/prefix" names a region',
    ],
    [
      'both a key file and a pool',
      { 'gcp-service-account-key-file': '/k', 'gcp-workload-identity-pool-provider': 'p' },
      '--gcp-service-account-key-file and --gcp-workload-identity-pool-provider exclude each other',
    ],
  ])('with %s is ConfigurationInvalid that names the option', (_, given, message) => {
    const open = (): unknown => storageOf(argsOf(given), 'peer', 'output');
    expect(open).toThrow(ConfigurationInvalid);
    expect(open).toThrow(message);
  });

  it('does not heed the identity where the default chain of the SDK is asked for', () => {
    const given = { 'peer-output': 's3://eu-west-1/bucket', 'peer-use-default-aws-credentials-provider': 'true' };
    const args = argsOf({ ...given, 'peer-identity': 'nobody' });
    expect(storageOf(args, 'peer', 'output').url).toBe('s3://eu-west-1/bucket');
  });
});

describe('a task queue', () => {
  it('of this machine takes no identity', async () => {
    const opening = openTasks('local', '/nowhere', { clock: () => new Date(0), credentials: { identity: ROLE } });
    await expect(opening).rejects.toThrow(ConfigurationInvalid);
    await expect(opening).rejects.toThrow('--task-queue-identity');
  });
});

describe('a command', () => {
  it.each<[string, () => string[]]>([
    ['--ingestor-identity', () => commandLine('intake-batch', { ...intakeOptions(root()), 'ingestor-identity': ROLE })],
    ['--peer-identity', () => commandLine('intake-batch', { ...intakeOptions(root()), 'peer-identity': ROLE })],
    ['--own-identity', () => commandLine('intake-batch', { ...intakeOptions(root()), 'own-identity': ACCOUNT })],
    [
      '--facilitator-identity',
      () => commandLine('generate-ingestion-sample', { ...sampleOptions(root()), 'facilitator-identity': ROLE }),
    ],
  ])('ends with 78 for %s of a directory, and has written nothing', async (option, line) => {
    const ran = await runFacilitator(line());
    expect(ran).toMatchObject({ status: 78, stdout: '' });
    expect(JSON.parse(ran.stderr.trim().split('\n').at(-1) ?? '')).toMatchObject({
      error_code: 'E_CONFIGURATION',
      error: expect.stringMatching(new RegExp(`^${option}: file:///.* takes no identity`)),
    });
    expect(filesIn(root())).toEqual([]);
  });

  it('ends with 78 for a key file that is not there, before any work, and without reading for a directory', async () => {
    const key = { 'gcp-service-account-key-file': `${root()}/none.json` };
    const google = { ...intakeOptions(root()), ...key, 'peer-output': 'gs://bucket' };
    const ran = await runFacilitator(commandLine('intake-batch', google));
    expect(ran.status).toBe(78);
    expect(ran.stderr).toContain('--gcp-service-account-key-file');
    expect(filesIn(root())).toEqual([]);
    const onDirectories = commandLine('intake-batch', { ...intakeOptions(root()), ...key });
    expect(await runFacilitator(onDirectories)).toMatchObject({ status: 0 });
  });
});
