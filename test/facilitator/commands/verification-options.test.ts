import { writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readOptions, type Args } from '../../../common/runtime/options.ts';
import { intakeBatch } from '../../../facilitator/intake.ts';
import { checkIntakeOptions, intakeOptions, intakeSetupOf } from '../../../facilitator/commands/intake-setup.ts';
import { keys } from '../../support/cases.ts';
import { intakeOptions as typedOptions, without, type CommandOptions } from '../../support/command-options.ts';
import { ORDINARY } from '../../support/command-options.ts';
import { parseBatchTime } from '../../../common/domain/batch-time.ts';
import { temporaryDirectory } from '../../support/temp-directory.ts';

const root = temporaryDirectory();
const KEY = ['ingestor-public-key', 'ingestor-public-key-identifier'] as const;
const BASE = { 'ingestor-manifest-base-url': 'https://ingestor.example' };
const [BATCH] = ORDINARY.batches;
const task = {
  aggregationId: ORDINARY.aggregation_id,
  batch: { id: BATCH!.id, time: parseBatchTime(BATCH!.time)! },
};

let lines: Record<string, unknown>[];
const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as never) });
const engine = { atEnd: (): void => {}, stopwatch: (): number => 0 };
const context = { log, clock: () => new Date('2026-11-21T10:00:00Z'), ...engine };

function argsOf(options: CommandOptions): Args<typeof intakeOptions> {
  const typed = without(options, 'aggregation-id', 'batch-id', 'date');
  const commandLine = new Map(Object.entries(typed).map(([name, text]) => [name, [text].flat()]));
  const args = readOptions(intakeOptions, { commandLine, env: {}, envPrefix: 'FACILITATOR' });
  checkIntakeOptions(args);
  return args;
}

beforeEach(() => {
  lines = [];
});
afterEach(() => vi.unstubAllGlobals());

describe('the keys of the ingestion server', () => {
  it('come from its manifest', async () => {
    const pem = `-----BEGIN PUBLIC KEY-----\n${keys.ingestor.spki}\n-----END PUBLIC KEY-----\n`;
    const fetch = vi.fn(async () =>
      Response.json({
        format: 1,
        'server-identity': { 'gcp-service-account-email': 'a@b.c' },
        'batch-signing-public-keys': { 'ingestor-key-1': { 'public-key': pem, expiration: '2126-01-01T00:00:00Z' } },
      }),
    );
    vi.stubGlobal('fetch', fetch);
    const setupNow = await intakeSetupOf(argsOf({ ...without(typedOptions(root()), ...KEY), ...BASE }), context);
    await intakeBatch(task, await setupNow());
    await intakeBatch(task, await setupNow());
    expect(fetch.mock.calls.map((call: readonly unknown[]) => call[0])).toEqual([
      'https://ingestor.example/global-manifest.json',
    ]);
  });

  it('that are given go before it, which is logged', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new Error('must not be called')));
    const setupNow = await intakeSetupOf(argsOf({ ...typedOptions(root()), ...BASE }), context);
    expect(lines).toMatchObject([{ party: 'ingestor', manifest_base_url: 'https://ingestor.example' }]);
    await intakeBatch(task, await setupNow());
  });
});

describe('where the peer reads', () => {
  const fromManifest = {
    ...without(typedOptions('/nowhere'), 'peer-output'),
    'peer-manifest-base-url': 'https://peer.example/m/',
  };

  it('comes from its manifest, asked for whenever a task begins', async () => {
    let bucket = 'gs://first-bucket/prefix';
    const fetch = vi.fn(async () =>
      Response.json({
        format: 2,
        'ingestion-bucket': 'gs://ingestion-bucket',
        'peer-validation-bucket': bucket,
        'batch-signing-public-keys': {},
        'packet-encryption-keys': {},
      }),
    );
    vi.stubGlobal('fetch', fetch);
    let now = 0;
    const args = argsOf({ ...fromManifest, 'instance-name': 'us-ct' });
    const setupNow = await intakeSetupOf(args, { log, clock: () => new Date(now), ...engine });
    expect((await setupNow()).peerOutput.url).toBe('gs://first-bucket/prefix');
    bucket = 's3://us-west-1/second-bucket';
    now += 300_000;
    expect((await setupNow()).peerOutput.url).toBe('s3://us-west-1/second-bucket');
    bucket = '/etc';
    now += 300_000;
    await expect(setupNow()).rejects.toMatchObject({ code: 'E_MANIFEST' });
    expect(fetch.mock.calls.map((call: readonly unknown[]) => call[0])).toContain(
      'https://peer.example/m/us-ct-manifest.json',
    );
  });

  it('cannot be found without the name of the instance', () => {
    expect(() => argsOf(fromManifest)).toThrow('missing --instance-name');
  });
});

describe('our own keys', () => {
  it('are read again from their files whenever a task begins', async () => {
    const typed = typedOptions(root());
    const value = (name: string): string => [typed[name]!].flat()[0]!;
    const names = ['batch-signing-private-key', 'packet-decryption-keys'] as const;
    for (const name of names) writeFileSync(`${root()}/${name}`, `${value(name)}\n`);
    const files = Object.fromEntries(names.map((name) => [`${name}-file`, `${root()}/${name}`]));
    const setupNow = await intakeSetupOf(argsOf({ ...without(typed, ...names), ...files }), context);
    const before = await setupNow();
    await intakeBatch(task, before);
    writeFileSync(`${root()}/packet-decryption-keys`, `${keys.pha_enc.x963priv},${value('packet-decryption-keys')}`);
    const after = await setupNow();
    expect([before.decryptors.length, after.decryptors.length]).toEqual([1, 2]);
    expect(after.signingKey).toBe(before.signingKey);
  });

  it('are given in one way', () => {
    const both = { ...typedOptions('/nowhere'), 'packet-decryption-keys-file': '/nowhere/keys' };
    expect(() => argsOf(both)).toThrow('both --packet-decryption-keys and --packet-decryption-keys-file are given');
  });
});
