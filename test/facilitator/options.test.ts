import { describe, expect, it } from 'vitest';
import { openStorage } from '../../common/backends/storage/open.ts';
import { validationKeys } from '../../common/domain/batch-path.ts';
import { parseBatchTime } from '../../common/domain/batch-time.ts';
import { commandsOf } from '../../common/runtime/commands.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { readOptions } from '../../common/runtime/options.ts';
import { readSingleRecord } from '../../facilitator/codec/read.ts';
import { batchSignature } from '../../facilitator/codec/record-types.ts';
import type { StorageOpener } from '../../facilitator/wire.ts';
import { facilitatorProgram } from '../../facilitator/program.ts';
import {
  aggregateOptions,
  commandLine,
  intakeOptions,
  ORDINARY,
  sampleOptions,
  without,
  type CommandOptions,
} from '../support/command-options.ts';
import { runFacilitator } from '../support/run-facilitator.ts';
import { filesIn, temporaryDirectory } from '../support/temp-directory.ts';

const root = temporaryDirectory();

/** The options that say whom to be at these parties. */
const credentials = (...parties: readonly string[]): CommandOptions =>
  Object.fromEntries(
    parties.flatMap((party) => [
      [`${party}-identity`, 'arn:aws:iam::123456789012:role/r'],
      [`${party}-use-default-aws-credentials-provider`, 'true'],
      [`${party}-gcp-sa-to-impersonate-before-assuming-role`, 'a@p.iam.gserviceaccount.com'],
    ]),
  );
const COMMON_CREDENTIALS = {
  'gcp-service-account-key-file': '/nowhere/key.json',
  'gcp-workload-identity-pool-provider': 'projects/1/locations/global/workloadIdentityPools/p/providers/aws',
  'aws-role-session-name': 'worker',
};
const KEY_FILES = {
  'batch-signing-private-key-file': '/nowhere/signing',
  'packet-decryption-keys-file': '/nowhere/decryption',
};
const MANIFESTS = {
  'ingestor-manifest-base-url': 'https://ingestor.example',
  'peer-manifest-base-url': 'https://peer.example/m',
  'expired-key-grace': '1h',
};
const ENGINE = { threads: '2', evaluation: 'typescript' };
const INTAKE = {
  ...ENGINE,
  ...intakeOptions('/nowhere'),
  ...KEY_FILES,
  ...MANIFESTS,
  'batch-signing-private-key-default-identifier': 'another-key',
  'permit-malformed-batch': 'true',
  'instance-name': 'ref',
  'write-single-object-validation-batches': 'true',
  ...credentials('ingestor', 'peer', 'own'),
  ...COMMON_CREDENTIALS,
};

const AGGREGATE = {
  ...aggregateOptions('/nowhere'),
  ...ENGINE,
  ...KEY_FILES,
  ...MANIFESTS,
  'portal-manifest-base-url': 'https://portal.example',
  'batch-signing-private-key-default-identifier': 'another-key',
  'permit-malformed-batch': 'true',
  'own-input': '/nowhere/own',
  'own-output': '/nowhere/own',
  ...credentials('ingestor', 'peer', 'own', 'portal'),
  ...COMMON_CREDENTIALS,
};
/** Of whatever does tasks. */
const TASKS = {
  'task-timeout': '2h',
  results: '/nowhere/results',
  'worker-name': 'worker-1',
  ...credentials('own'),
  ...COMMON_CREDENTIALS,
};
const WORKER = {
  'task-queue-kind': 'local',
  'task-queue-name': '/nowhere/tasks',
  'rejected-topic': '/nowhere/rejected',
  'visibility-timeout': '5m',
  'worker-maximum-lifetime': '3600',
  'pool-size': '4',
  'metrics-scrape-port': '0',
  'gcp-project-id': 'project',
  'pubsub-api-endpoint': 'https://pubsub.example',
  'pubsub-emulator-host': '127.0.0.1:8085',
  'aws-sqs-region': 'eu-west-1',
  'max-tasks-per-worker': '1000',
  'shutdown-grace': '5m',
  ...TASKS,
  ...credentials('task-queue'),
};
const SAMPLE = {
  ...sampleOptions('/nowhere'),
  'batch-signing-private-key-file': '/nowhere/signing',
  'batch-signing-private-key-default-identifier': 'another-key',
  ...credentials('peer', 'facilitator'),
  ...COMMON_CREDENTIALS,
};
/** Workers get these from the tasks. */
const TASK = ['aggregation-id', 'batch-id', 'date', 'batch-time', 'aggregation-start', 'aggregation-end'];

/** Every option of every command, with a value. */
const EXAMPLES: Readonly<Record<string, CommandOptions>> = {
  'intake-batch': INTAKE,
  aggregate: AGGREGATE,
  'intake-batch-worker': { ...without(INTAKE, ...TASK), ...WORKER },
  'aggregate-worker': { ...without(AGGREGATE, ...TASK), ...WORKER },
  run: { ...without({ ...INTAKE, ...AGGREGATE }, ...TASK), ...TASKS },
  'generate-ingestion-sample': SAMPLE,
  'generate-ingestion-sample-worker': {
    ...without(SAMPLE, 'batch-id', 'date'),
    'generation-interval': '60',
    'worker-maximum-lifetime': '3600',
    'shutdown-grace': '5m',
    'metrics-scrape-port': '0',
  },
  'validate-ingestion-sample-worker': {
    ...WORKER,
    'instance-name': 'us-ct',
    'packet-count': '10',
    'sum-part-delay': '5m',
    'pha-output': '/nowhere/pha',
    'pha-public-key': 'KEY',
    'pha-public-key-identifier': 'pha-key',
    'pha-manifest-base-url': 'https://pha.example',
    'facilitator-output': '/nowhere/facilitator',
    'facilitator-public-key': 'KEY',
    'facilitator-public-key-identifier': 'facilitator-key',
    'facilitator-manifest-base-url': 'https://facilitator.example',
    'expired-key-grace': '24h',
    ...credentials('pha', 'facilitator'),
  },
  inspect: {},
  'lint-manifest': {
    'manifest-base-url': 'https://peer.example',
    'manifest-path': '/nowhere/manifest',
    'manifest-kind': 'portal-global',
    instance: 'us-ct',
  },
};

/** What the reference reads from variables without prefix, as far as the option exists here. */
const REFERENCE_VARIABLES: Readonly<Record<string, string>> = {
  'instance-name': 'INSTANCE_NAME',
  'is-first': 'IS_FIRST',
  'batch-signing-private-key': 'BATCH_SIGNING_PRIVATE_KEY',
  'batch-signing-private-key-identifier': 'BATCH_SIGNING_PRIVATE_KEY_IDENTIFIER',
  'batch-signing-private-key-default-identifier': 'BATCH_SIGNING_PRIVATE_KEY_DEFAULT_IDENTIFIER',
  'packet-decryption-keys': 'PACKET_DECRYPTION_KEYS',
  'ingestor-input': 'INGESTOR_INPUT',
  'peer-input': 'PEER_INPUT',
  'peer-output': 'PEER_OUTPUT',
  'portal-output': 'PORTAL_OUTPUT',
  'ingestor-manifest-base-url': 'INGESTOR_MANIFEST_BASE_URL',
  'peer-manifest-base-url': 'PEER_MANIFEST_BASE_URL',
  'portal-manifest-base-url': 'PORTAL_MANIFEST_BASE_URL',
  'facilitator-output': 'FACILITATOR_OUTPUT',
  'pha-output': 'PHA_OUTPUT',
  'pha-manifest-base-url': 'PHA_MANIFEST_BASE_URL',
  'facilitator-manifest-base-url': 'FACILITATOR_MANIFEST_BASE_URL',
  'permit-malformed-batch': 'PERMIT_MALFORMED_BATCH',
  'write-single-object-validation-batches': 'WRITE_SINGLE_OBJECT_VALIDATION_BATCHES',
  'pha-ecies-public-key': 'PHA_ECIES_PUBLIC_KEY',
  'facilitator-ecies-public-key': 'FACILITATOR_ECIES_PUBLIC_KEY',
  'task-queue-kind': 'TASK_QUEUE_KIND',
  'task-queue-name': 'TASK_QUEUE_NAME',
  'rejected-topic': 'REJECTED_TOPIC',
  'worker-maximum-lifetime': 'WORKER_MAXIMUM_LIFETIME',
  'metrics-scrape-port': 'METRICS_SCRAPE_PORT',
  'gcp-project-id': 'GCP_PROJECT_ID',
  'pubsub-api-endpoint': 'PUBSUB_API_ENDPOINT',
  'pubsub-emulator-host': 'PUBSUB_EMULATOR_HOST',
  'aws-sqs-region': 'AWS_SQS_REGION',
  ...variablesOf(credentials('ingestor', 'peer', 'portal', 'facilitator', 'pha')),
  'task-queue-identity': 'TASK_QUEUE_IDENTITY',
  'task-queue-use-default-aws-credentials-provider': 'TASK_QUEUE_USE_DEFAULT_AWS_CREDENTIALS_PROVIDER',
  ...variablesOf(COMMON_CREDENTIALS),
};

function upperSnake(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}
function variablesOf(options: CommandOptions): Record<string, string> {
  return Object.fromEntries(Object.keys(options).map((name) => [name, upperSnake(name)]));
}
const program = facilitatorProgram('0.0.0');
const everyOption = commandsOf(program).flatMap(({ name: command, options }) =>
  Object.entries(options).map(([name, spec]) => ({ command, name, spec })),
);

const DATE = '2026/11/20/10/00';

/** What a command is given for one of its options, alone in a table so that no other need be there. */
function valueOf(command: string, name: string, typed: readonly string[], env: Record<string, string>): unknown {
  const { spec } = everyOption.find((option) => option.command === command && option.name === name)!;
  const sources = { commandLine: new Map(typed.length > 0 ? [[name, typed]] : []), env, envPrefix: 'FACILITATOR' };
  const { [name]: value } = readOptions({ [name]: spec }, sources);
  // Functions that open storages are told apart by where those are.
  return typeof value === 'function' ? (value as StorageOpener)({}).url : value;
}

describe('the options of all commands', () => {
  it('are those that these tests know', () => {
    const known = Object.entries(EXAMPLES).flatMap(([command, options]) =>
      Object.keys(options).map((name) => `${command} --${name}`),
    );
    expect(everyOption.map(({ command, name }) => `${command} --${name}`).sort()).toEqual(known.sort());
  });

  it.each(everyOption)('$command takes --$name from FACILITATOR_… as from the command line', ({ command, name }) => {
    const typed = [EXAMPLES[command]![name]!].flat();
    const variable = `FACILITATOR_${upperSnake(name)}`;
    const expected = valueOf(command, name, typed, {});
    expect(expected).toBeDefined();
    expect(valueOf(command, name, [], { [variable]: typed.join(',') })).toEqual(expected);
  });

  it.each(everyOption)('$command takes --$name from a variable without prefix only as the reference does', (option) => {
    const { command, name, spec } = option;
    const typed = [EXAMPLES[command]![name]!].flat();
    expect(spec.legacyEnv).toBe(REFERENCE_VARIABLES[name]);
    const read = (): unknown => valueOf(command, name, [], { [upperSnake(name)]: typed.join(',') });
    if (REFERENCE_VARIABLES[name]) expect(read()).toEqual(valueOf(command, name, typed, {}));
    else if (spec.fallback) expect(read()).toEqual(spec.fallback.value);
    else expect(read).toThrow(`missing --${name}`);
  });

  it('know no variable that the prefix alone makes of another: FACILITATOR_OUTPUT is the reference’s', () => {
    const own = new Map(everyOption.map(({ command, name }) => [`${command} FACILITATOR_${upperSnake(name)}`, name]));
    // Commands apart: FACILITATOR_MANIFEST_BASE_URL is the reference's for the validator, and ours for lint-manifest.
    const taken = everyOption.filter(({ command, spec }) => own.has(`${command} ${spec.legacyEnv}`));
    expect(taken.map(({ command, name }) => `${command} --${name}`)).toEqual([]);
    expect(Object.values(program.globals ?? {}).map(({ legacyEnv }) => legacyEnv)).toEqual(['PUSHGATEWAY']);
  });
});

describe('precedence', () => {
  const value = (typed: readonly string[], env: Record<string, string>): unknown =>
    valueOf('aggregate', 'instance-name', typed, env);

  it('is command line, prefixed variable, variable of the reference; empty variables are unset', () => {
    const both = { FACILITATOR_INSTANCE_NAME: 'prefixed', INSTANCE_NAME: 'plain' };
    expect(value(['typed'], both)).toBe('typed');
    expect(value([], both)).toBe('prefixed');
    expect(value([], { ...both, FACILITATOR_INSTANCE_NAME: '' })).toBe('plain');
    expect(() => value([], { FACILITATOR_INSTANCE_NAME: '', INSTANCE_NAME: '' })).toThrow('missing --instance-name');
  });

  it('leaves a malformed variable alone where the command line has the value', () => {
    const env = { FACILITATOR_DATE: 'today', DATE: 'tomorrow' };
    expect(valueOf('intake-batch', 'date', [DATE], env)).toEqual(parseBatchTime(DATE));
  });
});

describe('a command without arguments', () => {
  const environment = (options: CommandOptions, variable: (name: string) => string): Record<string, string> =>
    Object.fromEntries(Object.entries(options).map(([name, value]) => [variable(name), [value].flat().join(',')]));
  const prefixed = (name: string): string => `FACILITATOR_${upperSnake(name)}`;

  it.each(['intake-batch', 'aggregate'])('runs %s from its environment', async (command) => {
    const options = command === 'aggregate' ? aggregateOptions(root()) : intakeOptions(root());
    expect(await runFacilitator([command], environment(options, prefixed))).toMatchObject({ status: 0, stdout: '' });
    expect(filesIn(root()).filter((name) => name.endsWith('.sig'))).toHaveLength(command === 'aggregate' ? 1 : 2);
  });

  it('runs from the variables of a manifest for the reference and the arguments of its schedule', async () => {
    const options = { ...aggregateOptions(root()), 'permit-malformed-batch': 'false' };
    const plain = Object.keys(REFERENCE_VARIABLES);
    const fromManifest = without(options, ...Object.keys(options).filter((name) => !plain.includes(name)));
    const env = { ...environment(fromManifest, upperSnake), PUSHGATEWAY: 'http://pushgateway:9091', RUST_LOG: 'INFO' };
    const ran = await runFacilitator(commandLine('aggregate', without(options, ...plain)), env);
    expect(ran).toMatchObject({ status: 0, stdout: '' });
  });
});

describe('the identifier of the signing key', () => {
  const [batch] = ORDINARY.batches;
  const { signature } = validationKeys(
    ORDINARY.aggregation_id,
    { id: batch!.id, time: parseBatchTime(batch!.time)! },
    1,
  );

  it.each([
    ['its own option', { 'batch-signing-private-key-identifier': 'a' }, 'a'],
    ['the default', { 'batch-signing-private-key-default-identifier': 'b' }, 'b'],
    [
      'its own option where there is a default, too',
      { 'batch-signing-private-key-identifier': 'a', 'batch-signing-private-key-default-identifier': 'b' },
      'a',
    ],
  ])('is that of %s', async (_, given, expected) => {
    const options = { ...without(intakeOptions(root()), 'batch-signing-private-key-identifier'), ...given };
    expect(await runFacilitator(commandLine('intake-batch', options))).toMatchObject({ status: 0 });
    for (const output of ['peer', 'own']) {
      const file = await readObject(openStorage(`${root()}/${output}`), signature);
      expect(readSingleRecord(batchSignature, file).record.key_identifier).toBe(expected);
    }
  });
});
