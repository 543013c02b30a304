import { describe, expect, it } from 'vitest';
import { violations } from './support/architecture.ts';
import { layerOf, LAYERS } from './support/layers.ts';
import { typeScriptFiles } from './support/repository.ts';
import { codeOnly, importsOf, withoutComments } from './support/source-text.ts';

const files = typeScriptFiles(['common', 'facilitator', 'workflow-manager', 'deploy', 'test', 'bench']);

describe('the source', () => {
  it('is seen by this test', () => {
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['common/errors.ts', 'facilitator/prio/field.ts', 'test/architecture.test.ts']),
    );
  });

  it.each(files)('$path keeps to its layer', (file) => {
    expect(violations(file)).toEqual([]);
  });

  it('is what the table of layers is about: every permission names a layer', () => {
    const unknown = Object.values(LAYERS).flatMap(({ ours }) => ours.filter((key) => !(key in LAYERS)));
    expect(unknown).toEqual([]);
  });
});

describe('the table of layers', () => {
  it.each([
    ['common/domain/uuid.ts', 'common/domain/'],
    ['common/runtime/read-object.ts', 'common/runtime/read-object.ts'],
    ['common/runtime/log.ts', 'common/runtime/'],
    ['common/backends/storage/file.ts', 'common/backends/'],
    ['facilitator/intake.ts', 'facilitator/*.ts'],
    ['facilitator/wire.ts', 'facilitator/wire.ts'],
    ['facilitator/errors.ts', 'facilitator/errors.ts'],
    ['facilitator/prio/fft/radix.ts', 'facilitator/prio/'],
    ['workflow-manager/plan.ts', 'workflow-manager/*.ts'],
    ['deploy/local/plan.ts', 'deploy/'],
    ['facilitator/newfolder/a.ts', undefined],
    ['common/other.ts', undefined],
  ])('places %s in %s', (path, layer) => {
    expect(layerOf(path)).toBe(layer);
  });
});

describe('the checker', () => {
  it.each([
    ['common/errors.ts', "import { x } from './domain/uuid.ts';", './domain/uuid.ts'],
    ['common/domain/a.ts', "import type { Storage } from '../ports/storage.ts';", '../ports/storage.ts'],
    ['common/domain/a.ts', "import { join } from 'node:path';", 'node:path'],
    ['common/ports/a.ts', "export * from '../runtime/log.ts';", '../runtime/log.ts'],
    ['common/runtime/a.ts', "const a = await import('../backends/storage/open.ts');", '../backends/storage/open.ts'],
    ['common/runtime/a.ts', "import '../../facilitator/errors.ts';", '../../facilitator/errors.ts'],
    ['common/backends/storage/a.ts', "import { y } from '../../runtime/log.ts';", '../../runtime/log.ts'],
    ['facilitator/prio/a.ts', "import { z } from '../../common/errors.ts';", '../../common/errors.ts'],
    ['facilitator/prio/a.ts', "import { readFileSync } from 'node:fs';", 'node:fs'],
    ['facilitator/crypto/a.ts', "import { P } from '../prio/field.ts';", '../prio/field.ts'],
    ['facilitator/codec/a.ts', "import { sha256 } from '../batch/read-batch.ts';", '../batch/read-batch.ts'],
    ['facilitator/batch/a.ts', "import { isValidProof } from '../prio/verification.ts';", '../prio/verification.ts'],
    ['facilitator/batch/a.ts', "import type { ShareLayout } from '../prio/layout.ts';", '../prio/layout.ts'],
    ['facilitator/intake.ts', "import { s } from '../common/backends/storage/open.ts';", '../common/backends/storage'],
    ['facilitator/intake.ts', "import { s } from './wire.ts';", './wire.ts'],
    ['facilitator/intake.ts', "import { c } from './commands/aggregate.ts';", './commands/aggregate.ts'],
    [
      'facilitator/commands/a.ts',
      "import { s } from '../../common/backends/storage/open.ts';",
      '../../common/backends',
    ],
    ['facilitator/wire.ts', "import { p } from '../workflow-manager/plan.ts';", '../workflow-manager/plan.ts'],
    ['facilitator/program.ts', "import { m } from './main.ts';", './main.ts'],
    ['facilitator/main.ts', "import { d } from '../deploy/local/plan.ts';", '../deploy/local/plan.ts'],
    ['facilitator/main.ts', "import { t } from '../test/support/prio.ts';", '../test/support/prio.ts'],
    ['workflow-manager/plan.ts', "import type { T } from '../facilitator/errors.ts';", '../facilitator/errors.ts'],
    ['workflow-manager/run.ts', "import { S3Client } from '@aws-sdk/client-s3';", '@aws-sdk/client-s3'],
    ['workflow-manager/run.ts', 'const a = await import(name);', 'a computed name'],
    ['common/runtime/a.ts', "import { env } from 'node:process';", 'node:process'],
    ['common/runtime/a.ts', "import { createHash, randomBytes } from 'node:crypto';", 'node:crypto'],
    ['common/runtime/a.ts', "import * as crypto from 'node:crypto';", 'node:crypto'],
    ['common/runtime/a.ts', "import crypto from 'node:crypto';", 'node:crypto'],
  ])('in %s refuses %s', (path, source, named) => {
    expect(violations({ path, source })).toEqual([expect.stringMatching(/^\S+ imports '.+': .+/)]);
    expect(violations({ path, source })[0]).toContain(`${path} imports '${named}`);
  });

  it.each([
    ['common/runtime/a.ts', 'const a = process.argv;', 'process.argv'],
    ['common/runtime/a.ts', 'const { env } = process;', '{ env } = process'],
    ['facilitator/intake.ts', 'const a = `${process.env.HOME}`;', 'process.env'],
    ['deploy/local/plan.ts', 'const now = Date.now();', 'Date.now'],
    ['deploy/local/plan.ts', 'const now = new Date();', 'new Date'],
    ['deploy/local/plan.ts', 'const now = new Date;', 'new Date'],
    ['workflow-manager/plan.ts', 'const a = performance.now();', 'performance.now'],
    ['facilitator/prio/a.ts', 'const a = Math.random();', 'Math.random'],
    ['facilitator/prio/a.ts', 'const a = crypto.randomUUID();', 'randomUUID'],
    ['facilitator/prio/a.ts', 'const a = 12n;', '12n'],
    ['facilitator/prio/a.ts', 'const a = BigInt(3);', 'BigInt('],
    ['facilitator/prio/a.ts', 'export async function f() {}', 'async'],
    ['common/domain/a.ts', 'const a = await b;', 'await'],
  ])('in %s refuses %s', (path, source, named) => {
    const found = violations({ path, source });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${path} has '.*': `));
    if (!named.startsWith('random')) expect(found[0]).toContain(named);
  });

  it('refuses files in no layer and files that are too long', () => {
    expect(violations({ path: 'facilitator/newfolder/a.ts', source: '' })).toEqual([
      expect.stringContaining('facilitator/newfolder/a.ts is in no layer'),
    ]);
    expect(violations({ path: 'test/a.test.ts', source: 'a;\n'.repeat(400) })).toEqual([]);
    expect(violations({ path: 'test/a.test.ts', source: 'a;\n'.repeat(401) })).toEqual([
      expect.stringContaining('has 401 lines'),
    ]);
  });

  it.each([
    ['facilitator/main.ts', "import { randomBytes } from 'node:crypto'; process.argv; process.env; new Date();"],
    ['facilitator/wire.ts', "import { openStorage } from '../common/backends/storage/open.ts';"],
    ['facilitator/batch/a.ts', "import type { VerificationMessage } from '../prio/verification.ts';"],
    ['facilitator/batch/a.ts', "import { type VerificationMessage } from '../prio/verification.ts';"],
    ['facilitator/prio/a.ts', "import { createCipheriv } from 'node:crypto'; const a = new Date(0);"],
    ['facilitator/codec/a.ts', 'const a = 2n ** 64n;'],
    ['common/backends/storage/s3.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
    ['common/runtime/a.ts', "// process.env and Date.now()\nconst a = 'new Date()'; /* await import(x) */"],
    ['common/runtime/a.ts', 'const { env, randomBytes } = io; const t: Date = new Date(ms);'],
  ])('in %s allows %s', (path, source) => {
    expect(violations({ path, source })).toEqual([]);
  });
});

describe('the reader of sources', () => {
  it('finds imports of every form, and none in comments', () => {
    const source = [
      "import a, { b } from 'm1';",
      "import type { C } from 'm2';",
      "import {\n  type D,\n  type E,\n} from 'm3';",
      "export { f } from 'm4';",
      "export type * from 'm5';",
      "export * as g from 'm6';",
      "import 'm7';",
      "const h = await import('m8');",
      "let i: import('m9').I;",
      "// import { z } from 'no1';",
      "/* import 'no2'; */ const x = Array.from('no3');",
    ].join('\n');
    expect(importsOf(source).map(({ specifier, typeOnly }) => [specifier, typeOnly])).toEqual([
      ['m1', false],
      ['m2', true],
      ['m3', true],
      ['m4', false],
      ['m5', true],
      ['m6', false],
      ['m7', false],
      ['m8', false],
      ['m9', false],
    ]);
  });

  it.each([
    ["const a = 'https://x'; // b", "const a = 'https://x';  "],
    ['const a = /[/]\\/*"/; b /* c */', 'const a = /[/]\\/*"/; b  '],
    ['const a = `//${b}`; // c', 'const a = `//${b}`;  '],
    ['a / b; // c\nd / e', 'a / b;  \nd / e'],
  ])('tells comments from what looks like them: %s', (source, rest) => {
    expect(withoutComments(source)).toBe(rest);
  });

  it('empties strings where only code counts', () => {
    expect(codeOnly("a('process.env') // x")).toBe("a('')  ");
  });
});
