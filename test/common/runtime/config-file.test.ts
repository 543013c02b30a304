import { describe, expect, it } from 'vitest';
import { runToy, type ToyRun } from './toy-program.ts';

const ID = 'b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e';
const BASICS = { 'batch-id': ID, 'signing-key': 's3cr3t' };

interface Given {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly content?: string;
}

/** Runs `sign-batch` with a file of options. */
async function sign(file: object, { argv = [], env = {}, content }: Given = {}): Promise<ToyRun & { args: unknown }> {
  let args: unknown;
  const ran = await runToy(['sign-batch', '--config', 'options.json', ...argv], {
    env,
    readFile: async (path) =>
      path === 'options.json' ? (content ?? JSON.stringify(file)) : Promise.reject(new Error()),
    hooks: { seen: (seen) => (args = seen) },
  });
  return { ...ran, args };
}

const argsOf = async (file: object, given?: Given): Promise<unknown> => {
  const { status, stderr, args } = await sign({ ...BASICS, ...file }, given);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return args;
};

describe('a file of options', () => {
  it('gives texts, numbers, true and false, and lists', async () => {
    const file = { 'packet-count': -3, 'is-first': false, label: ['x,y', 7], identity: 'me', 'spare-keys': 'a=,b=' };
    expect(await argsOf(file)).toMatchObject({
      'batch-id': ID,
      'packet-count': -3,
      'is-first': false,
      label: ['x,y', '7'],
      identity: 'me',
      'spare-keys': ['a=', 'b='],
    });
  });

  it('may give a single value of a list, in which a comma means itself', async () => {
    expect(await argsOf({ label: 'x,y' })).toMatchObject({ label: ['x,y'] });
    expect(await argsOf({ label: [] })).toMatchObject({ label: [] });
  });

  it.each<{ name: string; file: object; given: Given; want: number | undefined }>([
    { name: 'goes before the default', file: { 'packet-count': 1 }, given: {}, want: 1 },
    { name: 'yields to a variable', file: { 'packet-count': 1 }, given: { env: { TOY_PACKET_COUNT: '2' } }, want: 2 },
    {
      name: 'yields to a variable without prefix',
      file: { 'packet-count': 1 },
      given: { env: { PACKET_COUNT: '2' } },
      want: 2,
    },
    {
      name: 'does not yield to an empty variable',
      file: { 'packet-count': 1 },
      given: { env: { PACKET_COUNT: '' } },
      want: 1,
    },
    {
      name: 'yields to the command line, also with a value that would be refused',
      file: { 'packet-count': 'many' },
      given: { argv: ['-p', '3'], env: { PACKET_COUNT: '2' } },
      want: 3,
    },
  ])('$name', async ({ file, given, want }) => {
    expect(await argsOf(file, given)).toMatchObject({ 'packet-count': want });
  });

  it('leaves an option unset that may be empty, and whatever the command line sets empty', async () => {
    expect(await argsOf({ identity: '' })).toMatchObject({ identity: undefined });
    expect(await argsOf({ identity: 'me' }, { argv: ['--identity', ''] })).toMatchObject({ identity: undefined });
  });

  it('may hold options of other commands, and those of logging', async () => {
    expect(await argsOf({ limit: 'no number', pushgateway: 'x:1', 'log-level': 'debug' })).toBeDefined();
  });

  it('may be named by a variable; an empty one names none', async () => {
    const readFile = async (path: string): Promise<string> => `{"limit": 1000, "log-level": "${path}"}`;
    const { stderr } = await runToy(['inspect', 'f'], { env: { TOY_CONFIG: 'here.json' }, readFile });
    expect(stderr).toContain('--log-level (from here.json): "here.json" is none of');
    expect(await runToy(['inspect', 'f'], { env: { TOY_CONFIG: '' } })).toMatchObject({ status: 0 });
    expect(await runToy(['inspect', 'f', '--config', ''], { env: { TOY_CONFIG: 'x' } })).toMatchObject({ status: 0 });
  });

  it('is not read for help', async () => {
    expect(await runToy(['inspect', '--config', 'none', '--help'])).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('a file that is wrong', () => {
  it.each<{ name: string; file?: object; content?: string; message: string }>([
    {
      name: 'has an unknown option',
      file: { 'batch-ids': ID },
      message: '--config options.json: unknown option batch-ids; did you mean batch-id?',
    },
    {
      name: 'has names with dashes in front',
      file: { '--label': 'x', '--is-first': true },
      message: 'unknown option --label; did you mean label?; unknown option --is-first; did you mean is-first?',
    },
    { name: 'has letters', file: { p: 3 }, message: '--config options.json: unknown option p' },
    { name: 'has a key for a name', file: { 'MIG/s3cr3t==': 3 }, message: 'unknown option (hidden)' },
    { name: 'names a property of objects', file: { toString: 3 }, message: 'unknown option toString' },
    { name: 'does not tell of hidden options', file: { interna: 'x' }, message: 'unknown option interna\n' },
    { name: 'names itself', file: { config: 'x' }, message: 'the option config cannot come from the file' },
    {
      name: 'has a malformed value',
      file: { 'packet-count': 70_000 },
      message: '--packet-count (from options.json): "70000" is no integer from -10 to 65535; example: --packet-count',
    },
    { name: 'has a word for true', file: { 'is-first': 'yes' }, message: '--is-first (from options.json): "yes"' },
    {
      name: 'has an empty secret',
      file: { 'signing-key': '' },
      message: '--signing-key (from options.json): (hidden)',
    },
    {
      name: 'has a list for one value',
      file: { 'batch-id': [ID] },
      message: '--batch-id (from options.json): takes one',
    },
    { name: 'has null', file: { label: null }, message: '--label (from options.json): is neither text, number' },
    { name: 'has an object', file: { limit: { s3cr3t: 1 } }, message: '--limit (from options.json): is neither text' },
    { name: 'has a list in a list', file: { label: [['s3cr3t']] }, message: '--label (from options.json): is neither' },
    { name: 'is no JSON', content: '{"signing-key": s3cr3t}', message: '--config options.json is no JSON; example' },
    { name: 'is empty', content: '', message: '--config options.json is no JSON; example' },
    { name: 'is a list', content: '["s3cr3t"]', message: '--config options.json is no JSON object; example' },
    { name: 'is a text', content: '"s3cr3t"', message: '--config options.json is no JSON object; example' },
  ])('$name', async ({ file = {}, content, message }) => {
    const { status, stderr } = await sign({ ...BASICS, ...file }, content === undefined ? {} : { content });
    expect(status).toBe(64);
    expect(stderr.startsWith('toy sign-batch: ')).toBe(true);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('s3cr3t');
  });

  it('is not there', async () => {
    const { status, stderr } = await runToy(['inspect', 'f', '--config', '/none.json']);
    expect(status).toBe(64);
    expect(stderr).toContain('toy inspect: --config /none.json cannot be read; give a file');
  });
});
