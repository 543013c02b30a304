import { describe, expect, it } from 'vitest';
import {
  ConfigurationInvalid,
  describeError,
  type DspError,
  fateOf,
  namedFailure,
  ObjectKeyInvalid,
  ObjectMissing,
  PermissionDenied,
  StorageUnavailable,
  UsageError,
} from '../../common/errors.ts';

describe('named failures', () => {
  const TABLE: ReadonlyArray<readonly [DspError, string, string]> = [
    [new UsageError('m'), 'E_USAGE', 'reject'],
    [new ConfigurationInvalid('m'), 'E_CONFIGURATION', 'retry'],
    [new PermissionDenied('m'), 'E_PERMISSION_DENIED', 'retry'],
    [new ObjectMissing('m'), 'E_OBJECT_MISSING', 'retry'],
    [new StorageUnavailable('m'), 'E_STORAGE_UNAVAILABLE', 'retry'],
    [new ObjectKeyInvalid('m'), 'E_OBJECT_KEY', 'reject'],
  ];

  it.each(TABLE)('%s has code %s and fate %s', (err, code, fate) => {
    expect(err).toMatchObject({ code, fate, message: 'm', name: err.constructor.name });
    expect(fateOf(err)).toBe(fate);
  });
});

describe('the fate of a failure', () => {
  const rejecting = new ObjectKeyInvalid('bad key');
  const retrying = new ObjectMissing('not yet', { cause: rejecting });

  it.each([
    ['of a plain error is a retry', new Error('?'), 'retry'],
    ['of something that is no error is a retry', 'thrown text', 'retry'],
    ['of nothing is a retry', undefined, 'retry'],
    ['is that of its named cause', new Error('outer', { cause: new Error('mid', { cause: rejecting }) }), 'reject'],
    ['is that of the outermost name', retrying, 'retry'],
    ['ends where the causes are no errors', new Error('outer', { cause: { cause: rejecting } }), 'retry'],
  ] as const)('%s', (_, err, fate) => {
    expect(fateOf(err)).toBe(fate);
  });

  it('is ruled by the named failure that can be asked for', () => {
    expect(namedFailure(new Error('outer', { cause: rejecting }))).toBe(rejecting);
    expect(namedFailure(retrying)).toBe(retrying);
    expect(namedFailure(new Error('?'))).toBeUndefined();
  });
});

describe('the description of an error', () => {
  it.each([
    [new Error('a'), 'a'],
    [new Error('a', { cause: new Error('b', { cause: new Error('c') }) }), 'a: b: c'],
    [new Error('a', { cause: 'text' }), 'a: text'],
    [new StorageUnavailable('a', { cause: 7 }), 'a: 7'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
  ])('of %o is %j', (err, text) => {
    expect(describeError(err)).toBe(text);
  });
});
