import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { builtFile } from '../../../facilitator/packets/built.ts';
import { REPOSITORY } from '../../support/repository.ts';
import { pathToFileURL } from 'node:url';

it('a built file is in dist/, from the sources too', () => {
  const file = builtFile('facilitator/main.js');
  expect(file.href).toBe(pathToFileURL(`${REPOSITORY}dist/facilitator/main.js`).href);
  expect(existsSync(file)).toBe(true);
});
