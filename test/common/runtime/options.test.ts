import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../common/errors.ts';
import { batchTime, flag, integer, list, storageLocation, text } from '../../../common/runtime/option-values.ts';
import { readOptions, type Args } from '../../../common/runtime/options.ts';

const table = {
  'is-first': flag({ describe: 'd', default: false, legacyEnv: 'IS_FIRST' }),
  port: integer(1, 65_535, { describe: 'd' }),
  date: batchTime({ describe: 'd' }),
  label: text({ describe: 'd', repeat: true, example: 'red' }),
  colour: text({ describe: 'd', repeat: true, default: ['red', 'blue'], example: 'red' }),
  key: text({ describe: 'd', secret: true, legacyEnv: 'KEY', example: 'BASE64' }),
  keys: list({ describe: 'd', secret: true, example: 'BASE64,BASE64' }),
  home: storageLocation(
    (given): string => {
      throw new Error(`cannot read ${given}`);
    },
    { describe: 'd', secret: true, example: '/tmp' },
  ),
  identity: text({ describe: 'd', emptyIsUnset: true, default: 'nobody', example: 'me' }),
};

type Given = Readonly<Record<string, readonly string[]>>;

const read = (given: Given, env: Readonly<Record<string, string>> = {}): Args<typeof table> =>
  readOptions(table, { commandLine: new Map(Object.entries(given)), env, envPrefix: 'FACILITATOR' });

const messageOf = (given: Given, env?: Readonly<Record<string, string>>): string => {
  try {
    read(given, env);
  } catch (err) {
    if (err instanceof UsageError) return err.message;
    throw err;
  }
  throw new Error('nothing was refused');
};

describe('precedence', () => {
  const typed = { 'is-first': ['true'] };
  it.each([
    { name: 'the default, if nothing is set', given: {}, env: {}, want: false },
    { name: 'the unprefixed variable before the default', given: {}, env: { IS_FIRST: 'true' }, want: true },
    { name: 'the prefixed variable', given: {}, env: { FACILITATOR_IS_FIRST: 'true' }, want: true },
    {
      name: 'the prefixed before the unprefixed variable',
      given: {},
      env: { FACILITATOR_IS_FIRST: 'true', IS_FIRST: 'false' },
      want: true,
    },
    {
      name: 'the command line before the prefixed variable',
      given: typed,
      env: { FACILITATOR_IS_FIRST: 'false' },
      want: true,
    },
    { name: 'the command line before the unprefixed variable', given: typed, env: { IS_FIRST: 'false' }, want: true },
    {
      name: 'a malformed variable that is not used does no harm',
      given: typed,
      env: { IS_FIRST: 'maybe' },
      want: true,
    },
    {
      name: 'an empty variable is unset',
      given: {},
      env: { FACILITATOR_IS_FIRST: '', IS_FIRST: 'true' },
      want: true,
    },
  ])('$name', ({ given, env, want }) => {
    expect(read(given, env)['is-first']).toBe(want);
  });

  it('stray and foreign variables do nothing', () => {
    const env = {
      FACILITATOR_SERVICE_HOST: '10.0.0.1',
      FACILITATOR_SERVICE_PORT: '80',
      FACILITATOR_PORT_80_TCP: 'tcp://10.0.0.1:80',
      PORT: '1',
      'is-first': 'true',
      WORKFLOW_MANAGER_IS_FIRST: 'true',
    };
    expect(read({}, env)).toEqual(read({}));
  });

  it('without anything: undefined, empty lists, defaults', () => {
    expect(read({})).toEqual({
      'is-first': false,
      port: undefined,
      date: undefined,
      label: [],
      colour: ['red', 'blue'],
      key: undefined,
      keys: undefined,
      home: undefined,
      identity: 'nobody',
    });
  });
});

describe('repeated options', () => {
  it('keep their order, and commas on the command line', () => {
    expect(read({ label: ['b', 'a', 'b,c'] }).label).toEqual(['b', 'a', 'b,c']);
  });
  it('come separated by commas from the environment', () => {
    expect(read({}, { FACILITATOR_LABEL: 'b,a' }).label).toEqual(['b', 'a']);
  });
  it('are not mixed from both', () => {
    expect(read({ label: ['a'] }, { FACILITATOR_LABEL: 'b' }).label).toEqual(['a']);
  });
  it('replace the default instead of adding to it', () => {
    expect(read({ colour: ['green'] }).colour).toEqual(['green']);
  });
  it('name the item that was refused', () => {
    expect(messageOf({ label: ['a', ''] })).toBe('--label: "" is empty; example: --label red');
  });
  it('are refused where one value is taken', () => {
    expect(messageOf({ port: ['1', '1'] })).toBe('--port is given 2 times, but takes one');
  });
});

describe('an empty value', () => {
  it('is refused on the command line', () => {
    expect(messageOf({ key: [''] })).toContain('is empty');
  });
  it('unsets an option that says so, whatever the environment has', () => {
    expect(read({ identity: [''] }, { FACILITATOR_IDENTITY: 'me' }).identity).toBe('nobody');
  });
});

describe('errors', () => {
  it.each([
    { name: 'prefixed', env: { FACILITATOR_PORT: 'x' }, want: '--port (from FACILITATOR_PORT): "x" is no integer' },
    {
      name: 'unprefixed',
      env: { IS_FIRST: 'yes' },
      want: '--is-first (from IS_FIRST): "yes" is neither true nor false',
    },
  ])('name the $name variable that the value came from', ({ env, want }) => {
    expect(messageOf({}, env)).toContain(want);
  });

  it('cut long values short', () => {
    const message = messageOf({ port: ['x'.repeat(5000)] });
    expect(message).toContain('… (5000 characters) is no integer');
    expect(message.length).toBeLessThan(250);
  });

  it('keep to one line', () => {
    expect(messageOf({ port: ['1\n2'] })).toContain(String.raw`--port: "1\n2" is no integer`);
  });

  it.each<[string, Given, Record<string, string>, string]>([
    [
      'a malformed value',
      { keys: ['s3cr3t,'] },
      {},
      '--keys: (hidden) has an empty item; example: --keys BASE64,BASE64',
    ],
    ['a variable', {}, { FACILITATOR_KEYS: 's3cr3t,' }, '--keys (from FACILITATOR_KEYS): (hidden) has an empty item'],
    ['a value given twice', { key: ['s3cr3t', 's3cr3t'] }, {}, '--key is given 2 times'],
    ['the message of a foreign parser', { home: ['s3cr3t'] }, {}, '--home: (hidden) is no storage location'],
  ])('never show a secret: %s', (_, given, env, want) => {
    const message = messageOf(given, env);
    expect(message).toContain(want);
    expect(message).not.toContain('s3cr3t');
  });

  it('tell all missing options at once', () => {
    const required = {
      key: text({ describe: 'd', required: true, secret: true, example: 'BASE64' }),
      label: text({ describe: 'd', required: true, repeat: true, example: 'red' }),
    };
    const sources = { commandLine: new Map(), env: { T_KEY: '' }, envPrefix: 'T' };
    expect(() => readOptions(required, sources)).toThrow('missing --key, --label; example: --key BASE64 --label red');
  });
});
