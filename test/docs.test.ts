import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as commonErrors from '../common/errors.ts';
import { DspError, type Fate } from '../common/errors.ts';
import * as facilitatorErrors from '../facilitator/errors.ts';
import { anchorsOf, headingsOf, linksOf, tableUnder } from './support/markdown.ts';
import { readIfText, readText, repositoryPaths, typeScriptFiles } from './support/repository.ts';
import * as publisherErrors from '../workflow-manager/errors.ts';

const paths = repositoryPaths();
const isPath = new Set(paths);

type NamedError = new (message: string) => DspError;

const isNamedError = (value: unknown): value is NamedError =>
  typeof value === 'function' && value.prototype instanceof DspError;

const unquoted = (cell = ''): string => /^`(.+)`$/.exec(cell)?.[1] ?? '';

const byCode = (a: { code: string }, b: { code: string }): number => (a.code < b.code ? -1 : 1);

describe('docs/errors.md', () => {
  const exported: unknown[] = [commonErrors, facilitatorErrors, publisherErrors].flatMap((errors) =>
    Object.values(errors),
  );
  // DspError itself is abstract, and no subclass of itself.
  const classes = exported.filter(isNamedError);
  const errors = classes.map((NamedError) => new NamedError('for docs.test.ts'));
  const rows = tableUnder(readText('docs/errors.md'), 'Table');
  const documented = rows.map(([code, name, fate]) => ({ code: unquoted(code), name: unquoted(name), fate }));

  it('has a row for each class and a class for each row, with code, name and fate as in the code', () => {
    const coded: { code: string; name: string; fate: Fate }[] = errors.map(({ code, name, fate }) => ({
      code,
      name,
      fate,
    }));
    expect(coded.length).toBeGreaterThan(0);
    expect(documented.toSorted(byCode)).toEqual(coded.toSorted(byCode));
  });

  it('has codes that are unique', () => {
    const codes = errors.map(({ code }) => code);
    expect(codes).toEqual([...new Set(codes)]);
  });

  it('says in every row what it means and what to do', () => {
    expect(rows.filter((cells) => cells.length !== 5 || cells.some((cell) => cell === ''))).toEqual([]);
  });

  it('has classes with the names that the errors bear', () => {
    expect(errors.map(({ name }) => name)).toEqual(classes.map(({ name }) => name));
  });
});

describe('references from the code', () => {
  /** `docs/NAME.md, "Section"`, where the comment may wrap before the section. */
  const REFERENCE = /\bdocs\/([\w-]+\.md)`?(?:,\s*(?:(?:\*|\/\/)\s*)?"([^"\n]+)")?/g;
  const sources = typeScriptFiles(['common', 'facilitator', 'workflow-manager', 'deploy', 'test', 'bench']);

  function unresolved(source: string): string[] {
    return [...source.matchAll(REFERENCE)]
      .filter(([, file, section]) => {
        const path = `docs/${file}`;
        return !isPath.has(path) || (section !== undefined && !headingsOf(readText(path)).includes(section));
      })
      .map(([reference]) => reference);
  }

  it('name sections that exist', () => {
    const dangling = sources
      .filter(({ path }) => path !== 'test/docs.test.ts')
      .flatMap(({ path, source }) => unresolved(source).map((reference) => `${path}: ${reference}`));
    expect(dangling).toEqual([]);
  });

  it.each([
    ['/** docs/protocol.md, "No such section". */', 1],
    ['/** `docs/protocol.md`, "No such section". */', 1],
    ['/**\n * docs/protocol.md,\n * "No such section".\n */', 1],
    ['// docs/protocol.md,\n// "No such section"', 1],
    ['// docs/nosuchfile.md', 1],
    ['/**\n * docs/protocol.md,\n * "Packet encryption". docs/errors.md\n */', 0],
  ])('are found wherever they stand: %j', (source, count) => {
    expect(unresolved(source)).toHaveLength(count);
  });
});

describe('links of the documents', () => {
  const documents = paths.filter((path) => /^(?:README|CONTRIBUTING)\.md$|^docs\/.+\.md$|^test\/.+\.md$/.test(path));

  function broken(document: string): string[] {
    return linksOf(readText(document)).filter((link) => {
      if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return false;
      const [file = '', fragment] = decodeURI(link).split('#');
      const target = file === '' ? document : posix.join(posix.dirname(document), file).replace(/\/$/, '');
      if (!isPath.has(target)) return fragment !== undefined || !paths.some((path) => path.startsWith(`${target}/`));
      return fragment !== undefined && !anchorsOf(readText(target)).includes(fragment);
    });
  }

  it.each(documents)('of %s lead somewhere', (document) => {
    expect(broken(document)).toEqual([]);
  });

  it('are read as GitHub reads them', () => {
    const markdown =
      '# A `b`: c\n\n```\n# no [x](none)\n```\n\n## A b c\n\n[x](y.md#z) `[no](no)` [e](<f>)\n\n[r]: g.md\n';
    expect(headingsOf(markdown)).toEqual(['A `b`: c', 'A b c']);
    expect(anchorsOf(markdown)).toEqual(['a-b-c', 'a-b-c-1']);
    expect(linksOf(markdown)).toEqual(['y.md#z', 'f', 'g.md']);
  });
});

/** So that a test of what must not be in files can be in a file: a text without its `¦`. */
const planted = (text: string): string => text.replaceAll('¦', '');

describe('the files of the repository', () => {
  const texts = paths.flatMap((path) => {
    const text = readIfText(path);
    return text === undefined ? [] : [{ path, text }];
  });

  /** Paths of the matches of `pattern`, with the line that they are in. */
  function matches(pattern: RegExp, files: readonly { path: string; text: string }[] = texts): string[] {
    return files.flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim().slice(0, 120)}`] : [])),
    );
  }

  // What they look for stands in groups, so that these lines do not match themselves.
  const MACHINE_PATH = /(?<![\w.:/$}\]-])(?:file:\/\/)?\/(?:work|root|home|Users)\/|\b[A-Z]:\\Users\\/;
  const PACKAGE_REGISTRY =
    /\b(?:registry\.(?:npmjs|yarnpkg|npmmirror)|npm\.pkg\.github|npm\.jsr)\.|\/npm-(?:proxy|remote|virtual)\b/;
  const REGISTRY_SETTING = /^\s*(?:@[\w-]+:)?(?:registry|replace-registry-host)\s*=/;
  const UNFINISHED_TEST = /\b(?:it|test|describe|suite|bench)(?:\.\w+)*\.(?:only|skip|todo)\b(?=\s*[.(`])/;

  it('name no path of a machine', () => {
    expect(matches(MACHINE_PATH)).toEqual([]);
  });

  it('name no package registry', () => {
    expect(matches(PACKAGE_REGISTRY)).toEqual([]);
    expect(
      matches(
        REGISTRY_SETTING,
        texts.filter(({ path }) => posix.basename(path) === '.npmrc'),
      ),
    ).toEqual([]);
  });

  it('include a lock file that does not say where packages come from', () => {
    const { packages } = JSON.parse(readText('package-lock.json')) as { packages: Record<string, object> };
    const located = Object.keys(packages).filter((name) => 'resolved' in packages[name]!); // a key of it
    expect(located).toEqual([]);
  });

  it('include no tests that are left out or that leave others out', () => {
    expect(
      matches(
        UNFINISHED_TEST,
        texts.filter(({ path }) => /^(?:test|bench)\/.*\.ts$/.test(path)),
      ),
    ).toEqual([]);
  });

  it.each([
    [MACHINE_PATH, planted('cd /¦work/main'), true],
    [MACHINE_PATH, planted('"file:///¦root/x"'), true],
    [MACHINE_PATH, planted("'/¦home/ann/x'"), true],
    [MACHINE_PATH, 'https://example.com/home/x', false],
    [MACHINE_PATH, 'src/work/x', false],
    [PACKAGE_REGISTRY, planted('https://registry.¦npmjs.org/x'), true],
    [PACKAGE_REGISTRY, 'schema registry.', false],
    [REGISTRY_SETTING, '@scope:registry=https://x', true],
    [REGISTRY_SETTING, 'omit-lockfile-registry-resolved=true', false],
    [UNFINISHED_TEST, planted("it¦.only('x'"), true],
    [UNFINISHED_TEST, planted('describe¦.skip.each(['), true],
    [UNFINISHED_TEST, 'cursor.skip(3)', false],
  ])('are searched with %s, which for %j gives %s', (pattern, line, found) => {
    expect(pattern.test(line)).toBe(found);
  });
});
