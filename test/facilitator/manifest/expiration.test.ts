import { expect, it } from 'vitest';
import { parseExpiration } from '../../../facilitator/manifest/expiration.ts';

it.each([
  ['2021-01-15T18:53:20Z', '2021-01-15T18:53:20.000Z'],
  ['2021-01-15t18:53:20z', '2021-01-15T18:53:20.000Z'],
  ['2021-01-15T18:53:20.123456789Z', '2021-01-15T18:53:20.123Z'],
  ['2021-01-15T18:53:20+02:00', '2021-01-15T16:53:20.000Z'],
  ['2021-02-29T00:00:00Z', undefined],
  ['2021-01-15T18:53:20', undefined],
  ['2021-01-15 18:53:20Z', undefined],
  ['202101151853', undefined],
  ['never', undefined],
  ['', undefined],
])('the expiration %j is %s', (text, time) => {
  expect(parseExpiration(text)?.toISOString()).toBe(time);
});
