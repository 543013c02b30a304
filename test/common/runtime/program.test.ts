import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ConfigurationInvalid, ObjectMissing, PermissionDenied, UsageError } from '../../../common/errors.ts';
import { command } from '../../../common/runtime/command.ts';
import { flag, text } from '../../../common/runtime/option-values.ts';
import type { Program } from '../../../common/runtime/program.ts';
import { runCaptured, runToy, type ToyHooks } from './toy-program.ts';

const ID = 'b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e';
const SIGN = ['sign-batch', '--batch-id', ID, '--signing-key', 's3cr3t'];

const throwing = (err: unknown) => (): never => {
  throw err;
};

const closed = (): Writable =>
  new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })) });

describe('the exit status', () => {
  it.each<[string, ToyHooks, number]>([
    ['of success', {}, 0],
    ['of a usage error found while preparing', { prepare: throwing(new UsageError('m')) }, 64],
    ['of a usage error found while running', { run: throwing(new UsageError('m')) }, 64],
    ['of no permission before any work', { prepare: throwing(new PermissionDenied('m')) }, 77],
    ['of no permission later', { run: throwing(new PermissionDenied('m')) }, 1],
    ['of a bad configuration before any work', { prepare: throwing(new ConfigurationInvalid('m')) }, 78],
    ['of a bad configuration later', { run: throwing(new ConfigurationInvalid('m')) }, 1],
    ['of any other failure before any work', { prepare: throwing(new ObjectMissing('m')) }, 1],
    ['of any other failure', { run: throwing(new ObjectMissing('m')) }, 1],
    ['of a bug', { run: throwing(new TypeError('m')) }, 1],
    ['of something thrown that is no error', { run: throwing('m') }, 1],
  ])('%s', async (_, hooks, status) => {
    expect((await runToy(SIGN, { hooks })).status).toBe(status);
  });
});

describe('a warning of the runtime', () => {
  it('is a line of the log', async () => {
    const listeners: ((warning: Error) => void)[] = [];
    const warn = (): void => listeners[0]?.(Object.assign(new Error('soon gone'), { name: 'DeprecationWarning' }));
    const { lines } = await runToy(SIGN, { hooks: { run: warn }, onWarning: (listener) => listeners.push(listener) });
    expect(lines()).toMatchObject([{ severity: 'WARNING', warning: 'DeprecationWarning', message: 'soon gone' }]);
  });
});

describe('a failure', () => {
  it('logs one line, without stack if it has a name', async () => {
    const err = new ObjectMissing('no object a/b', { cause: new Error('404') });
    const { stdout, lines } = await runToy(SIGN, { hooks: { run: throwing(err) } });
    expect(stdout).toBe('');
    expect(lines()).toEqual([
      {
        severity: 'ERROR',
        time: '2026-11-21T10:00:00.000Z',
        version: '1.2.3',
        error_code: 'E_OBJECT_MISSING',
        error: 'no object a/b: 404',
        fate: 'retry',
        message: 'sign-batch failed',
      },
    ]);
  });

  it('has its stack at level debug', async () => {
    const hooks = { run: throwing(new ObjectMissing('m')) };
    const { lines } = await runToy([...SIGN, '--log-level', 'debug'], { hooks });
    expect(lines()).toMatchObject([{ stack: expect.stringContaining('program.test.ts') as unknown }]);
  });

  it('has its stack at any level if it is a bug', async () => {
    const { lines } = await runToy(SIGN, { hooks: { run: throwing(new TypeError('m')) } });
    expect(lines()).toMatchObject([
      { error_code: 'E_UNEXPECTED', fate: 'retry', stack: expect.stringContaining('TypeError: m') as unknown },
    ]);
  });

  it('is named by the outermost named error', async () => {
    const err = new Error('wrapped', { cause: new ConfigurationInvalid('m') });
    const { lines } = await runToy(SIGN, { hooks: { run: throwing(err) } });
    expect(lines()).toMatchObject([{ error_code: 'E_CONFIGURATION', error: 'wrapped: m' }]);
  });

  it('logs nothing at level off', async () => {
    const hooks = { run: throwing(new ObjectMissing('m')) };
    expect(await runToy([...SIGN, '--log-level', 'off'], { hooks })).toMatchObject({ status: 1, stderr: '' });
  });

  it('of usage is text for people, with a hint', async () => {
    const { stderr } = await runToy(SIGN, { hooks: { prepare: throwing(new UsageError('no such queue')) } });
    expect(stderr).toBe('toy sign-batch: no such queue\nsee toy sign-batch --help\n');
  });
});

describe('the context', () => {
  it('is what the process gave, without environment and arguments', async () => {
    const { signal } = new AbortController();
    const io = { signal, clock: () => new Date('2026-01-01T00:00:00Z'), randomBytes: () => Uint8Array.of(7) };
    const keys: string[] = [];
    const run: ToyHooks['run'] = async (context) => {
      keys.push(...Object.keys(context).toSorted());
      expect(context.signal).toBe(signal);
      expect(context.clock()).toEqual(io.clock());
      expect(context.randomBytes(1)).toEqual(io.randomBytes());
      context.log.info('at work');
      await context.stdout.write('result\n');
    };
    const { status, stdout, lines } = await runToy(SIGN, { ...io, hooks: { run } });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'result\n' });
    expect(keys).toEqual(['atEnd', 'clock', 'log', 'randomBytes', 'signal', 'stdout', 'stopNow', 'stopwatch']);
    expect(lines()).toMatchObject([{ message: 'at work', time: '2026-01-01T00:00:00.000Z' }]);
  });

  it('takes options from the environment, and nothing from stray variables', async () => {
    const env = {
      TOY_BATCH_ID: ID,
      TOY_SIGNING_KEY: 'AbC+/==',
      TOY_SPARE_KEYS: 'a=,b=',
      TOY_LABEL: 'x,y',
      PACKET_COUNT: '3',
      TOY_SERVICE_HOST: '10.0.0.1',
      TOY_PORT: 'tcp://10.0.0.1:80',
      BATCH_ID: 'not-looked-at',
    };
    let seen: unknown;
    const { status } = await runToy(['sign-batch'], { env, hooks: { seen: (args) => (seen = args) } });
    expect(status).toBe(0);
    expect(seen).toEqual({
      'batch-id': ID,
      'signing-key': 'AbC+/==',
      'spare-keys': ['a=', 'b='],
      'is-first': false,
      'packet-count': 3,
      label: ['x', 'y'],
      identity: undefined,
      internal: undefined,
      prepared: 'prepared',
    });
  });
});

describe('logging', () => {
  const hooks: ToyHooks = { run: ({ log }) => log.warn({ batch_id: 'b' }, 'careful') };
  const text = '[2026-11-21T10:00:00Z] WARNING: careful {"batch_id":"b"}\n';
  const json =
    '{"severity":"WARNING","time":"2026-11-21T10:00:00.000Z","version":"1.2.3","batch_id":"b","message":"careful"}\n';

  it.each([
    { name: 'JSON without a terminal', io: { stderrIsTty: false }, argv: [], want: json },
    { name: 'text at a terminal', io: { stderrIsTty: true, env: { NO_COLOR: '1' } }, argv: [], want: text },
    { name: 'JSON by option', io: { stderrIsTty: true }, argv: ['--force-json-log-output', 'true'], want: json },
    {
      name: 'JSON by variable',
      io: { stderrIsTty: true, env: { FORCE_JSON_LOG_OUTPUT: 'true' } },
      argv: [],
      want: json,
    },
    { name: 'level by option', io: {}, argv: ['--log-level', 'error'], want: '' },
    { name: 'level by variable', io: { env: { RUST_LOG: 'ERROR' } }, argv: [], want: '' },
  ])('$name', async ({ io, argv, want }) => {
    expect((await runToy([...argv, ...SIGN], { ...io, hooks })).stderr).toBe(want);
  });

  it('has colours at a terminal', async () => {
    expect((await runToy(SIGN, { stderrIsTty: true, hooks })).stderr).toContain('\u001b[33mWARNING');
  });

  it('never shows the command line', async () => {
    const failing = { run: throwing(new Error('m')) };
    const { stderr } = await runToy([...SIGN, '--log-level', 'trace'], { hooks: failing });
    expect(stderr).not.toContain('s3cr3t');
    expect(stderr).not.toContain(ID);
  });
});

describe('a closed pipe', () => {
  it('behind stdout ends the output, not the program', async () => {
    expect(await runToy(['inspect', 'a', 'b'], { stdout: closed() })).toMatchObject({ status: 0, stderr: '' });
    expect(await runToy(['--help'], { stdout: closed() })).toMatchObject({ status: 0, stderr: '' });
  });

  it('behind stderr does not keep a command from its work', async () => {
    let done = false;
    const hooks: ToyHooks = {
      run: ({ log }) => {
        log.info('a');
        done = true;
      },
    };
    expect((await runToy(SIGN, { stderr: closed(), hooks })).status).toBe(0);
    expect(done).toBe(true);
  });

  it('a full disk behind stdout is a failure', async () => {
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error('ENOSPC')) });
    const { status, lines } = await runToy(['--help'], { stdout });
    expect(status).toBe(1);
    expect(lines()).toMatchObject([{ message: 'toy failed', error: 'ENOSPC' }]);
  });
});

it.each([
  ['the same name', { 'log-level': text({ describe: 'd', example: 'x' }) }],
  ['a reserved name', { help: text({ describe: 'd', example: 'x' }) }],
  [
    'a letter twice',
    { a: text({ describe: 'd', example: 'x', alias: 'q' }), b: text({ describe: 'd', example: 'x', alias: 'q' }) },
  ],
])('refuses a program whose options have %s', async (_, options) => {
  const program: Program = {
    name: 't',
    version: '1',
    envPrefix: 'T',
    commands: [command({ name: 'c', describe: 'd', options, run: async () => {} })],
  };
  await expect(runCaptured(program, { argv: ['c'] })).rejects.toThrow('is declared twice or is reserved');
});

it('refuses a program in which an option is bare in one command only', async () => {
  const run = async (): Promise<void> => {};
  const program: Program = {
    name: 't',
    version: '1',
    envPrefix: 'T',
    commands: [
      command({ name: 'a', describe: 'd', options: { 'dry-run': flag({ describe: 'd', bare: true }) }, run }),
      command({ name: 'b', describe: 'd', options: { 'dry-run': flag({ describe: 'd' }) }, run }),
    ],
  };
  await expect(runCaptured(program, {})).rejects.toThrow('dry-run is bare in some commands only');
});
