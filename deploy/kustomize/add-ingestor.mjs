// Adds an ingestor to an overlay, or renews its values: node add-ingestor.mjs overlays/gke us-ca-ingestor-1.json
// The file is one of terraform's `kustomize_files`, or of the same form; README.md, "Values". What is there already and
// not of the file stays: other options, key names, kustomization.yaml.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const PROGRAMS = ['workflow-manager', 'intake-batch-worker', 'aggregate-worker'];
/** Names of service accounts before `-INGESTOR`, as terraform/ and base/service-accounts.yaml have them. */
const ACCOUNTS = { publisher: 'workflow-manager', intake: 'intake-batch', aggregate: 'aggregate' };
const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
/** Kubernetes adds 11 characters to the name of a CronJob, and has room for 63. */
const MAX_CRON_JOB_NAME = 52;

/** What cannot be used, with a way out. */
class Refused extends Error {}

function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The values of an instance, checked as far as names of Kubernetes depend on them; options are the programs' own. */
function readValues(path) {
  let values;
  try {
    values = JSON.parse(readFileSync(path, 'utf8'));
  } catch (err) {
    throw new Refused(`${path} cannot be read as JSON: ${err.message}`);
  }
  const fault = faultOf(values);
  if (fault) throw new Refused(`${path}: ${fault}; README.md, "Values", shows such a file`);
  return values;
}

function faultOf(values) {
  if (!isRecord(values)) return 'is no object';
  for (const name of ['instance', 'locality', 'ingestor', 'namespace']) {
    if (!NAME.test(values[name] ?? '')) return `${name} must be lower-case letters, digits and -, like us-ca`;
  }
  if (values.instance !== `${values.locality}-${values.ingestor}`) return 'instance must be LOCALITY-INGESTOR';
  if (values.namespace.length > 63) return 'namespace is longer than 63 characters';
  if (`workflow-manager-${values.ingestor}`.length > MAX_CRON_JOB_NAME) {
    return `ingestor is longer than ${MAX_CRON_JOB_NAME - 'workflow-manager-'.length} characters`;
  }
  // It becomes the value of a label.
  if (values.instance.length > 63) return 'instance is longer than 63 characters';
  for (const [program, account] of Object.entries(ACCOUNTS)) {
    const name = values['service-accounts']?.[program]?.name;
    const expected = `${account}-${values.ingestor}`;
    if (name !== undefined && name !== expected) return `the service account of ${program} must be ${expected}`;
  }
  for (const program of PROGRAMS) {
    const options = values[program];
    if (!isRecord(options)) return `${program} must be an object of options`;
  }
  for (const worker of PROGRAMS.slice(1)) {
    if (typeof values[worker]['task-queue-name'] !== 'string') return `${worker} has no task-queue-name`;
  }
  return undefined;
}

/** What components put into the objects, by the names that they ask for. */
function instanceValues(values) {
  const { instance, locality } = values;
  const [intake, aggregate] = PROGRAMS.slice(1).map((program) => values[program]);
  const roles = Object.keys(ACCOUNTS).map((program) => [
    `role-${program}`,
    values['service-accounts']?.[program]?.annotations?.['eks.amazonaws.com/role-arn'],
  ]);
  const all = {
    'intake-queue': intake['task-queue-name'],
    'intake-queue-name': basename(intake['task-queue-name']),
    'aggregate-queue': aggregate['task-queue-name'],
    'aggregate-queue-name': basename(aggregate['task-queue-name']),
    'gcp-project-id': intake['gcp-project-id'],
    'aws-region': intake['aws-sqs-region'],
    ...Object.fromEntries(roles),
    'batch-signing-key': `${instance}-batch-signing-key`,
    'packet-decryption-keys': `${instance}-packet-decryption-keys`,
    'packet-decryption-source': `${locality}-packet-decryption-keys`,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** These are the operator's once the file is there. */
const KEPT = ['batch-signing-key', 'packet-decryption-keys', 'packet-decryption-source'];

function readEnv(path) {
  if (!existsSync(path)) return {};
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => /^[^#=]+=/.test(line));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

function writeEnv(path, made) {
  const old = readEnv(path);
  const kept = Object.fromEntries(KEPT.filter((name) => name in old).map((name) => [name, old[name]]));
  const lines = Object.entries({ ...old, ...made, ...kept }).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(path, `# Made by add-ingestor.mjs; the names of keys stay as they are set here.\n${lines.join('')}`);
}

/** As the reference is deployed; a batch is to be taken in as long as its window is open. docs/publisher.md. */
const DEFAULTS = {
  'workflow-manager': { 'intake-max-age': '6h', 'aggregation-period': '3h', 'grace-period': '1h' },
};

/** Options of the file go before those that were there. */
function writeOptions(directory, program, made) {
  const path = join(directory, `${program}.json`);
  const old = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  writeFileSync(path, `${JSON.stringify({ ...DEFAULTS[program], ...old, ...made }, null, 2)}\n`);
}

function writeOnce(path, text) {
  if (!existsSync(path)) writeFileSync(path, text);
}

const LOCALITY = (namespace) => `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ${namespace}
resources:
  - ../../../namespace
`;

const INSTANCE = ({ instance, ingestor, namespace }) => `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ${namespace}
nameSuffix: -${ingestor}
labels:
  - pairs:
      app.kubernetes.io/instance: ${instance}
    includeSelectors: true
resources:
  - ../../../base
components:
  - ../components
configMapGenerator:
  - name: options
    files:
${PROGRAMS.map((program) => `      - ${program}.json\n`).join('')}  # For replacements only: it stays here.
  - name: instance
    envs:
      - instance.env
    options:
      annotations:
        config.kubernetes.io/local-config: 'true'
`;

/** @param path a kustomization.yaml with its list of resources in lines of its own */
function addResources(path, names) {
  const lines = readFileSync(path, 'utf8').split('\n');
  const at = lines.indexOf('resources:');
  if (at < 0) throw new Refused(`${path} has no line "resources:"`);
  const missing = names.map((name) => `  - ${name}`).filter((line) => !lines.includes(line));
  let end = at + 1;
  while (lines[end]?.startsWith('  ')) end++;
  writeFileSync(path, lines.toSpliced(end, 0, ...missing).join('\n'));
}

function addIngestor(overlay, file) {
  const values = readValues(file);
  const list = join(overlay, 'kustomization.yaml');
  if (!existsSync(list)) throw new Refused(`${list} is not there: the first argument must be an overlay`);
  const { instance, namespace } = values;
  if (instance === namespace) throw new Refused(`${file}: instance and namespace must differ, as both are directories`);
  for (const name of [namespace, instance]) mkdirSync(join(overlay, name), { recursive: true });
  writeOnce(join(overlay, namespace, 'kustomization.yaml'), LOCALITY(namespace));
  const directory = join(overlay, instance);
  writeOnce(join(directory, 'kustomization.yaml'), INSTANCE(values));
  writeEnv(join(directory, 'instance.env'), instanceValues(values));
  for (const program of PROGRAMS) writeOptions(directory, program, values[program]);
  addResources(list, [namespace, instance]);
  return directory;
}

const [overlay, file, ...rest] = process.argv.slice(2);
try {
  if (overlay === undefined || file === undefined || rest.length > 0) {
    throw new Refused('usage: node add-ingestor.mjs OVERLAY INSTANCE.json');
  }
  process.stdout.write(`${addIngestor(overlay, file)}\n`);
} catch (err) {
  if (!(err instanceof Refused)) throw err;
  process.stderr.write(`add-ingestor: ${err.message}\n`);
  process.exitCode = 64;
}
