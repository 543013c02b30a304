import { describe, expect, it } from 'vitest';
import { runToy } from './toy-program.ts';

const ID = 'b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e';
const SIGN = ['sign-batch', '--batch-id', ID, '--signing-key', 's3cr3t'];

/** The arguments that the command got. */
async function argsOf(argv: readonly string[]): Promise<unknown> {
  let seen: unknown;
  const { status, stderr } = await runToy(argv, { hooks: { seen: (args) => (seen = args) } });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return seen;
}

describe('help', () => {
  it('lists commands, and comes on stdout', async () => {
    const { status, stdout, stderr } = await runToy(['--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatchInlineSnapshot(`
      "toy COMMAND [OPTION…]

      Commands:
        toy sign-batch  sign a batch
        toy inspect     print objects

      Options:
        --help                   show this text                                                  [boolean]
        --version                show the version                                                [boolean]
        --config                 file that gives options: a JSON object of their names, without dashes,
                                 and values [text] [example: /etc/dsp/options.json] [env: TOY_CONFIG]
        --log-level              least severity of the lines to log [off | critical | error | warning |
                                 info | debug | trace] [default: info] [example: debug] [env:
                                 TOY_LOG_LEVEL, RUST_LOG]
        --force-json-log-output  log JSON also to a terminal [true or false] [default: false] [example:
                                 true] [env: TOY_FORCE_JSON_LOG_OUTPUT, FORCE_JSON_LOG_OUTPUT]
      "
    `);
  });

  it('of a command lists its options', async () => {
    const { status, stdout } = await runToy(['sign-batch', '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "toy sign-batch [OPTION…]

      sign a batch

      Options of sign-batch:
            --batch-id      batch to sign [UUID] [required] [example:
                            b7a4b03c-5c1a-4f0b-9d3e-2f6f3f7c1f0e] [env: TOY_BATCH_ID]
            --signing-key   key to sign with [text] [required] [example: BASE64] [env: TOY_SIGNING_KEY]
            --spare-keys    more keys [comma-separated list] [example: BASE64,BASE64] [env:
                            TOY_SPARE_KEYS]
            --is-first      whether we are the PHA [true or false] [default: false] [example: true] [env:
                            TOY_IS_FIRST, IS_FIRST]
        -p, --packet-count  packets to make [integer from -10 to 65535] [example: -10] [env:
                            TOY_PACKET_COUNT, PACKET_COUNT]
            --label         label to set [text] [may be repeated] [example: red] [env: TOY_LABEL]
            --identity      role to assume [text] [example: arn:aws:iam::1:role/x] [env: TOY_IDENTITY]

      Options:
            --help                   show this text                                              [boolean]
            --version                show the version                                            [boolean]
            --config                 file that gives options: a JSON object of their names, without
                                     dashes, and values [text] [example: /etc/dsp/options.json] [env:
                                     TOY_CONFIG]
            --log-level              least severity of the lines to log [off | critical | error | warning
                                     | info | debug | trace] [default: info] [example: debug] [env:
                                     TOY_LOG_LEVEL, RUST_LOG]
            --force-json-log-output  log JSON also to a terminal [true or false] [default: false]
                                     [example: true] [env: TOY_FORCE_JSON_LOG_OUTPUT,
                                     FORCE_JSON_LOG_OUTPUT]
      "
    `);
  });

  it('of a command with words tells what they are', async () => {
    const { stdout } = await runToy(['inspect', '-h']);
    expect(stdout).toMatchInlineSnapshot(`
      "toy inspect [OPTION…] FILE…

      print objects

      FILE…: objects to print

      Options of inspect:
        --limit  objects to print [integer from 0 to 100] [default: 10] [example: 0] [env: TOY_LIMIT]

      Options:
        --help                   show this text                                                  [boolean]
        --version                show the version                                                [boolean]
        --config                 file that gives options: a JSON object of their names, without dashes,
                                 and values [text] [example: /etc/dsp/options.json] [env: TOY_CONFIG]
        --log-level              least severity of the lines to log [off | critical | error | warning |
                                 info | debug | trace] [default: info] [example: debug] [env:
                                 TOY_LOG_LEVEL, RUST_LOG]
        --force-json-log-output  log JSON also to a terminal [true or false] [default: false] [example:
                                 true] [env: TOY_FORCE_JSON_LOG_OUTPUT, FORCE_JSON_LOG_OUTPUT]
      "
    `);
  });

  it('comes among mistakes too', async () => {
    const { stdout: help } = await runToy(['sign-batch', '--help']);
    for (const argv of [
      ['--help', 'sign-batch'],
      ['sign-batch', '--colour', 'red', '--help'],
      ['sign-batch', '--batch-id', '--help'],
    ]) {
      expect(await runToy(argv)).toMatchObject({ status: 0, stdout: help, stderr: '' });
    }
  });

  it('shows nothing of the environment, and no secret default', async () => {
    const env = { TOY_SIGNING_KEY: 's3cr3t', TOY_LABEL: 'from-env', IS_FIRST: 'true', COLUMNS: '20', LC_ALL: 'de_DE' };
    const { stdout } = await runToy(['sign-batch', '--help'], { env });
    expect(stdout).toBe((await runToy(['sign-batch', '--help'])).stdout);
    expect(stdout).not.toMatch(/s3cr3t|from-env|c3BhcmU|internal|pushgateway/);
  });

  it('comes on stderr with status 64 if there is no command', async () => {
    const help = (await runToy(['--help'])).stdout;
    expect(await runToy([])).toMatchObject({ status: 64, stdout: '', stderr: help });
    expect(await runToy(['--batch-id', ID])).toMatchObject({ status: 64, stdout: '', stderr: help });
    expect(await runToy(['--log-level', 'debug'])).toMatchObject({ status: 64, stdout: '', stderr: help });
  });
});

it.each([[['--version']], [['sign-batch', '--version']]])('%j prints the version', async (argv) => {
  expect(await runToy(argv)).toMatchObject({ status: 0, stdout: 'toy 1.2.3\n', stderr: '' });
});

describe('values come through as they are', () => {
  it.each([
    ['AbC+/=='],
    ['-AbC='],
    ['--AbC'],
    ['"quoted"'],
    ["'quoted'"],
    ['0x10'],
    ['007'],
    ['1e3'],
    ['true'],
    ['a.b=c'],
    ['-----BEGIN PRIVATE KEY-----\nMIG==\n-----END PRIVATE KEY-----\n'],
    ['0'],
    ['$0'],
  ])('%j', async (value) => {
    const argv = ['sign-batch', '--batch-id', ID];
    expect(await argsOf([...argv, '--signing-key', value])).toMatchObject({ 'signing-key': value });
    expect(await argsOf([...argv, `--signing-key=${value}`])).toMatchObject({ 'signing-key': value });
  });

  it.each([[['-p', '-3']], [['-p=-3']], [['-p-3']], [['--packet-count', '-3']], [['--packet-count=-3']]])(
    'a negative number as %j',
    async (argv) => {
      expect(await argsOf([...SIGN, ...argv])).toMatchObject({ 'packet-count': -3 });
    },
  );

  it('repeated options in order, however they are written', async () => {
    const argv = [...SIGN, '--label', 'b', '--label=a', '--label', 'b'];
    expect(await argsOf(argv)).toMatchObject({ label: ['b', 'a', 'b'] });
  });

  it('words, behind -- also those with dashes', async () => {
    const argv = ['inspect', '007', '--limit', '3', '-', '-5', '--', '-x', '--limit', '"q"', 'inspect'];
    expect(await argsOf(argv)).toEqual({ limit: 3, file: ['007', '-', '-5', '-x', '--limit', '"q"', 'inspect'] });
  });

  it('options of every command before or behind the command', async () => {
    const argv = ['--log-level', 'debug', '--pushgateway=x:1', 'inspect', '--force-json-log-output', 'true', 'f'];
    expect(await argsOf(argv)).toEqual({ limit: 10, file: ['f'] });
  });

  it('options of the command before it', async () => {
    expect(await argsOf(['--limit', '3', 'inspect', 'f'])).toEqual({ limit: 3, file: ['f'] });
  });
});

describe('usage errors', () => {
  it.each<{ argv: string[]; message: string; of?: string }>([
    { argv: ['nope'], message: 'unknown command "nope"', of: 'toy' },
    { argv: ['inspec'], message: 'unknown command "inspec"; did you mean inspect?', of: 'toy' },
    { argv: ['constructor'], message: 'unknown command "constructor"', of: 'toy' },
    { argv: ['nope', '--batch-id', ID, '--colour', 'x'], message: 'unknown command "nope"', of: 'toy' },
    { argv: ['c2VjcmV0IQ=='], message: 'unknown command (hidden)', of: 'toy' },
    { argv: ['sign-batch', '-----BEGIN KEY-----\nMIG=='], message: 'unknown option (hidden)' },
    { argv: ['--colour', 'red'], message: 'unknown option --colour', of: 'toy' },
    { argv: ['--get-yargs-completions'], message: 'unknown option --get-yargs-completions', of: 'toy' },
    { argv: [...SIGN, '--btach-id=x'], message: 'unknown option --btach-id; did you mean --batch-id?' },
    { argv: [...SIGN, '--batchId', 'x'], message: 'unknown option --batchId; did you mean --batch-id?' },
    { argv: [...SIGN, '--no-is-first'], message: 'unknown option --no-is-first; did you mean --is-first?' },
    { argv: [...SIGN, '--batch-id.x=1'], message: 'unknown option --batch-id.x; did you mean --batch-id?' },
    { argv: [...SIGN, '--constructor=1', '--_=1'], message: 'unknown option --constructor; unknown option --_' },
    { argv: [...SIGN, '--show-hidden', '-x'], message: 'unknown option --show-hidden' },
    { argv: [...SIGN, '--limit', '3'], message: 'unknown option --limit\nsee' },
    { argv: [...SIGN, '--limit'], message: 'unknown option --limit\nsee' },
    { argv: [...SIGN, '--is-first'], message: '--is-first needs a value: true or false; example: --is-first true' },
    {
      argv: [...SIGN, '-p'],
      message: '--packet-count needs a value: integer from -10 to 65535; example: --packet-count -10',
    },
    { argv: [...SIGN, '--label', '--is-first', 'true'], message: '--label needs a value: text; example: --label red' },
    { argv: [...SIGN, '-p', '1', '--packet-count=2'], message: '--packet-count is given 2 times, but takes one' },
    { argv: ['inspect', 'f', '--log-level', 'x'], message: '--log-level: "x" is none of', of: 'toy inspect' },
    { argv: ['inspect'], message: 'missing FILE…: objects to print', of: 'toy inspect' },
    { argv: [...SIGN, '--is-first=true', '--label=x'], message: '--is-first true excludes --label' },
  ])('$argv: $message', async ({ argv, message, of = 'toy sign-batch' }) => {
    const { status, stdout, stderr } = await runToy(argv, { hooks: { run: () => expect.fail('was run') } });
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' });
    expect(stderr.startsWith(`${of}: ${message}`), stderr).toBe(true);
    expect(stderr.endsWith(`\nsee ${of} --help\n`), stderr).toBe(true);
  });

  it('never repeat words of a command with secrets, as they may be parts of one', async () => {
    const { status, stderr } = await runToy([...SIGN, 's3cr3t', 'rest']);
    expect(status).toBe(64);
    expect(stderr).toBe(
      'toy sign-batch: unexpected (hidden): sign-batch takes options only; quote values that contain blanks\n' +
        'see toy sign-batch --help\n',
    );
  });

  it('never show a secret, whatever else is wrong', async () => {
    const key = ['--signing-key', 's3cr3t'];
    for (const more of [['--signing-key', 's3cr3t'], ['--spare-keys', 's3cr3t,'], ['--colour'], ['-p', 'x'], []]) {
      const { status, stderr } = await runToy(['sign-batch', ...key, ...more]);
      expect(status).toBe(64);
      expect(stderr).not.toContain('s3cr3t');
    }
  });
});
