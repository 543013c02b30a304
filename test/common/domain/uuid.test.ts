import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseUuid, uuidBytes } from '../../../common/domain/uuid.ts';

const CANONICAL = '0f0e0d0c-0b0a-4908-8706-050403020100';

it.each([
  CANONICAL,
  CANONICAL.toUpperCase(),
  '0f0e0d0c0b0a49088706050403020100',
  '0F0E0D0C0B0A49088706050403020100',
  `urn:uuid:${CANONICAL}`,
  `URN:UUID:${CANONICAL.toUpperCase()}`,
])('reads %s as its canonical form', (text) => {
  expect(parseUuid(text)).toBe(CANONICAL);
});

it.each([
  '',
  'a',
  `{${CANONICAL}}`,
  ` ${CANONICAL}`,
  `${CANONICAL}\n`,
  CANONICAL.slice(1),
  `${CANONICAL}0`,
  CANONICAL.replace('f', 'g'),
  '0f0e0d0c0b0a-4908-8706-050403020100',
  '0f0e0d0c-0b0a49088706-050403020100',
  'urn:uuid:0f0e0d0c0b0a49088706050403020100',
  `uuid:${CANONICAL}`,
])('takes %j for no UUID', (text) => {
  expect(parseUuid(text)).toBeUndefined();
});

it('reads every UUID in any case to the same text and bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const digits = Buffer.from(bytes).toString('hex');
      const canonical = parseUuid(digits) ?? '';
      expect(canonical).toMatch(/^[0-9a-f-]{36}$/);
      expect(parseUuid(canonical.toUpperCase())).toBe(canonical);
      expect(Buffer.from(uuidBytes(canonical)).equals(bytes)).toBe(true);
    }),
  );
});

it('gives the bytes in network order', () => {
  expect([...uuidBytes(CANONICAL)]).toEqual([15, 14, 13, 12, 11, 10, 0x49, 8, 0x87, 6, 5, 4, 3, 2, 1, 0]);
});
