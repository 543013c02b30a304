import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FACILITATOR, isOpenToAll, run } from '../support/child-process.ts';
import { CASES, keys } from '../support/cases.ts';
import {
  aggregateOptions,
  commandLine,
  intakeOptions,
  sampleOptions,
  type CommandOptions,
} from '../support/command-options.ts';
import { keyFragmentsIn } from '../support/key-fragments.ts';
import { linesAfterStart, type LogLine } from '../support/log-lines.ts';
import { asOrdinaryUser } from '../support/ordinary-user.ts';
import { runFacilitator } from '../support/run-facilitator.ts';
import { filesIn, temporaryDirectory } from '../support/temp-directory.ts';
import { cannotRun } from '../support/skip.ts';

const root = temporaryDirectory();

const OPTIONS: Readonly<Record<string, (root: string) => CommandOptions>> = {
  'intake-batch': intakeOptions,
  aggregate: aggregateOptions,
  'generate-ingestion-sample': sampleOptions,
};
const isKey = (name: string): boolean => /-(?:key|keys)$/.test(name);
const PLACEHOLDER = 'not-a-real-key';
const everyKey = Object.entries(OPTIONS).flatMap(([command, options]) =>
  Object.keys(options('')).flatMap((name) => (isKey(name) ? [[command, name] as const] : [])),
);

const argv = (command: string, changes: CommandOptions): string[] =>
  commandLine(command, { ...OPTIONS[command]!(root()), ...changes });

/**
 * The one line of a run that failed with `status`; nothing was written, and no key is in any output, although it is at
 * its most talkative.
 */
async function failure(line: readonly string[], status: number): Promise<LogLine> {
  const given = line
    .filter((_, i) => line[i - 1]?.startsWith('--') && isKey(line[i - 1]!))
    .flatMap((value) => value.split(','))
    .filter((value) => value !== PLACEHOLDER);
  const ran = await runFacilitator([...line, '--log-level', 'debug']);
  expect(ran).toMatchObject({ status, stdout: '' });
  expect(keyFragmentsIn(ran.stderr, given)).toEqual([]);
  expect(filesIn(root())).toEqual([]);
  const lines = linesAfterStart(ran.stderr);
  expect(lines).toMatchObject([{ severity: 'ERROR', message: `${line[0]} failed` }]);
  return lines[0]!;
}

const der = (namedCurve: string): string =>
  generateKeyPairSync('ec', { namedCurve }).privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
const flipped = (base64: string): string => {
  const bytes = Buffer.from(base64, 'base64');
  bytes[bytes.length - 1]! ^= 1;
  return bytes.toString('base64');
};

describe('a key that is not usable', () => {
  it.each(everyKey)('in %s --%s, the placeholder, is told with the way out', async (command, name) => {
    const line = await failure(argv(command, { [name]: PLACEHOLDER }), 1);
    expect(line).toMatchObject({ error_code: 'E_KEY', fate: 'retry' });
    expect(line['error']).toMatch(new RegExp(`^--${name} is still the placeholder "${PLACEHOLDER}": generate a key`));
  });

  const { x963priv, x963pub } = keys.fac_enc;
  const signing = keys.fac_sign.pkcs8;
  const MALFORMED: readonly [string, string, readonly string[]][] = [
    ['cut short', 'cannot be read|bytes|base64', [signing.slice(0, 100), x963priv.slice(0, 100), x963pub.slice(0, 60)]],
    ['with a character that is none of base64', 'is not standard base64', [`${signing.slice(0, 80)}!${signing}`]],
    ['as base64url', 'is not standard base64', [x963priv.replaceAll('=', '').padEnd(131, '_')]],
    ['of another curve', 'is not on the curve P-256|has 185 bytes', [der('secp384r1')]],
    ['of another kind', 'cannot be read|bytes', [Buffer.from(x963priv, 'base64').subarray(3).toString('base64')]],
    ['empty but for blanks', 'is not standard base64', ['  ']],
  ];
  it.each(everyKey.flatMap(([command, name]) => MALFORMED.map((row) => [command, name, ...row] as const)))(
    'in %s --%s, %s, is told without being shown',
    async (command, name, _, reason, values) => {
      for (const value of values) {
        const line = await failure(argv(command, { [name]: value }), 1);
        expect(line).toMatchObject({ error_code: 'E_KEY', fate: 'retry' });
        expect(line['error']).toMatch(new RegExp(`^--${name}\\b.*(?:${reason})`));
      }
    },
  );

  it.each([
    ['the second of two', `${x963priv},${PLACEHOLDER}`, 'key 2 of 2 is still the placeholder'],
    ['one that is not that of its scalar', flipped(x963priv), 'is inconsistent'],
    ['a public one', x963pub, 'has 65 bytes; a packet decryption key is the base64 of 97'],
    ['an empty one between commas', `${x963priv},,${x963priv}`, 'key 2 of 3 is not standard base64'],
  ])('among --packet-decryption-keys is named: %s', async (_, value, reason) => {
    const line = await failure(argv('intake-batch', { 'packet-decryption-keys': value }), 1);
    expect(line).toMatchObject({ error_code: 'E_KEY', error: expect.stringContaining(reason) });
  });

  it('is not shown by a process, whichever way it is given', async () => {
    const broken = `${signing.slice(0, 120)}*${signing.slice(120)}`;
    for (const given of [
      run(FACILITATOR, argv('intake-batch', { 'batch-signing-private-key': broken })),
      run(FACILITATOR, ['intake-batch', broken]),
      run(FACILITATOR, [broken]),
      run(FACILITATOR, argv('intake-batch', { 'is-first': 'x' }), { env: { FACILITATOR_LOG_LEVEL: 'debug' } }),
    ]) {
      const { stdout, stderr, status } = await given;
      expect(status).not.toBe(0);
      expect(keyFragmentsIn(stdout + stderr, [broken, signing, x963priv])).toEqual([]);
    }
  });
});

describe('the search for keys in outputs', () => {
  it('finds pieces of them in either form', () => {
    const hex = Buffer.from(keys.fac_enc.x963priv, 'base64').toString('hex');
    expect(keyFragmentsIn(`…${signingPiece}…`, [keys.fac_sign.pkcs8])).not.toEqual([]);
    expect(keyFragmentsIn(`…${hex.slice(80, 110).toUpperCase()}…`, [keys.fac_enc.x963priv])).not.toEqual([]);
    expect(keyFragmentsIn('example: MIGHAgEAMBMGByqG…', [keys.fac_sign.pkcs8])).toEqual([]);
  });
  const signingPiece = keys.fac_sign.pkcs8.slice(60, 74);
});

describe('a storage that cannot work', () => {
  it.each([
    ['intake-batch', 'ingestor-input'],
    ['aggregate', 'ingestor-input'],
    ['aggregate', 'peer-input'],
  ])('%s ends with 78 if --%s does not exist', async (command, name) => {
    const line = await failure(argv(command, { [name]: `${root()}/nowhere` }), 78);
    expect(line).toMatchObject({ error_code: 'E_CONFIGURATION', fate: 'retry' });
    expect(line['error']).toBe(`file://${root()}/nowhere does not exist; create the directory or correct the location`);
  });

  it.each([
    ['intake-batch', 'own-output', 'peer-output'],
    ['generate-ingestion-sample', 'peer-output', 'facilitator-output'],
  ])('%s ends with 78 if --%s and --%s are one', async (command, a, b) => {
    const line = await failure(argv(command, { [a]: `${root()}/out`, [b]: `file://${root()}/in/../out` }), 78);
    expect(line).toMatchObject({ error_code: 'E_CONFIGURATION' });
    expect(line['error']).toContain(`--${a} and --${b} are both file://${root()}/out`);
  });

  it.each([
    ['intake-batch', 'ingestor-input'],
    ['intake-batch', 'peer-output'],
    ['intake-batch', 'own-output'],
    ['aggregate', 'peer-input'],
    ['aggregate', 'portal-output'],
    ['generate-ingestion-sample', 'facilitator-output'],
  ])('%s ends with 78 if --%s is a file', async (command, name) => {
    const line = await failure(argv(command, { [name]: `${CASES}/keys.json` }), 78);
    expect(line).toMatchObject({ error_code: 'E_CONFIGURATION', error: expect.stringContaining('is no directory') });
  });

  /** A command line whose storages are all open to everybody, but for the one of the option `name`. */
  function closed(command: string, name: string): string[] {
    for (const storage of ['open', 'open/in', 'open/peer', 'open/own', 'open/portal', 'open/pha', 'open/facilitator']) {
      mkdirSync(`${root()}/${storage}`);
      chmodSync(`${root()}/${storage}`, 0o777);
    }
    mkdirSync(`${root()}/closed`, { mode: 0 });
    chmodSync(root(), 0o755);
    const options = OPTIONS[command]!(`${root()}/open`);
    const inputs = Object.keys(options).filter((option) => option.endsWith('-input'));
    const open = Object.fromEntries(inputs.map((input) => [input, `${root()}/open/in`]));
    return commandLine(command, { ...options, ...open, [name]: `${root()}/closed` });
  }

  function expectDenied(ran: { status: number | null; stdout: string; stderr: string }, access: string): void {
    expect(ran).toMatchObject({ status: 77, stdout: '' });
    const error = expect.stringContaining(`cannot ${access} file://${root()}/closed`);
    expect(linesAfterStart(ran.stderr)).toMatchObject([{ error_code: 'E_PERMISSION_DENIED', error }]);
    chmodSync(`${root()}/closed`, 0o755);
    expect(filesIn(root())).toEqual([]);
  }

  it.each([
    ['intake-batch', 'ingestor-input'],
    ['aggregate', 'ingestor-input'],
    ['aggregate', 'peer-input'],
  ])('%s ends with 77 if --%s is closed to us', async (command, name) => {
    const line = closed(command, name);
    expectDenied(await asOrdinaryUser(() => runFacilitator(line)), 'read');
  });

  // Whether a directory can be written to is asked for the user that a process belongs to, not for the one that it acts
  // as for a time. That user has to be able to read the program.
  it
    .skipIf(cannotRun(isOpenToAll(FACILITATOR), 'commands refused access, as other users cannot read this checkout'))
    .each([
      ['intake-batch', 'peer-output'],
      ['intake-batch', 'own-output'],
      ['aggregate', 'portal-output'],
      ['generate-ingestion-sample', 'peer-output'],
      ['generate-ingestion-sample', 'facilitator-output'],
    ])('%s ends with 77 if --%s is closed to us', async (command, name) => {
    expectDenied(await run(FACILITATOR, closed(command, name), { asOrdinaryUser: true }), 'write');
  });
});

describe('a storage that fails once the work has begun', () => {
  it('ends with 1: an object that is closed to us', async () => {
    const { 'aggregation-id': aggregation, date, 'batch-id': batch } = intakeOptions(root());
    mkdirSync(`${root()}/in/${String(aggregation)}/${String(date)}`, { recursive: true });
    const object = `in/${String(aggregation)}/${String(date)}/${String(batch)}.batch.sig`;
    writeFileSync(`${root()}/${object}`, '', { mode: 0 });
    chmodSync(root(), 0o777);
    const line = argv('intake-batch', { 'ingestor-input': `${root()}/in` });
    const { status, stderr } = await asOrdinaryUser(() => runFacilitator(line));
    expect(status).toBe(1);
    expect(linesAfterStart(stderr)).toMatchObject([{ error_code: 'E_PERMISSION_DENIED', fate: 'retry' }]);
    expect(filesIn(root())).toEqual([object]);
  });
});
