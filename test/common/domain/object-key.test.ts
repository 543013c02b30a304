import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkObjectKey, objectKeyFault } from '../../../common/domain/object-key.ts';
import { ObjectKeyInvalid } from '../../../common/errors.ts';

describe('an object key', () => {
  it.each(['a', 'a/b/c', 'a b', ' ', '.a', '..a', 'a..', 'a/.dsp', '.dspx', 'x'.repeat(1024)])('may be %j', (key) => {
    expect(objectKeyFault(key)).toBeUndefined();
    expect(() => checkObjectKey(key)).not.toThrow();
  });

  it.each([
    ['', 'empty'],
    ['/', 'begins with a slash'],
    ['/a', 'begins with a slash'],
    ['a/', 'empty segment'],
    ['a//b', 'empty segment'],
    ['.', "'.' or '..'"],
    ['a/..', "'.' or '..'"],
    ['../a', "'.' or '..'"],
    ['a\\b', 'backslash'],
    ['a\tb', 'printable ASCII'],
    ['a\u007f', 'printable ASCII'],
    ['é', 'printable ASCII'],
    ['a\n', 'printable ASCII'],
    ['.dsp', 'reserved'],
    ['.dsp/a', 'reserved'],
    ['x'.repeat(1025), '1025 bytes, and 1024'],
  ])('may not be %j, and the reason is told', (key, reason) => {
    expect(objectKeyFault(key)).toContain(reason);
    expect(() => checkObjectKey(key)).toThrow(ObjectKeyInvalid);
    expect(() => checkObjectKey(key)).toThrow(reason);
  });

  it('is quoted in the message, in full only if it is short', () => {
    expect(() => checkObjectKey('a\nb')).toThrow(String.raw`"a\nb" cannot be an object key`);
    expect(() => checkObjectKey('x'.repeat(2000))).toThrow(`"${'x'.repeat(80)}…"`);
  });

  it('is made of segments that are none of the forbidden ones', () => {
    const segment = fc.string({
      unit: fc.constantFrom('a', '.', '-', '_', '~', ' ', '0', 'Z'),
      minLength: 1,
      maxLength: 8,
    });
    const good = segment.filter((text) => text !== '.' && text !== '..');
    fc.assert(
      fc.property(fc.array(good, { minLength: 1, maxLength: 6 }), (segments) => {
        expect(objectKeyFault(segments.join('/'))).toBeUndefined();
        expect(objectKeyFault([...segments, '..'].join('/'))).toBeDefined();
        expect(objectKeyFault(['', ...segments].join('/'))).toBeDefined();
      }),
    );
  });
});
