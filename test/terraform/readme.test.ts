import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readText, REPOSITORY, repositoryPaths } from '../support/repository.ts';
import { entriesOf, readmeOf } from './module-readme.ts';

const files = repositoryPaths().filter((path) => path.startsWith('terraform/') && path.endsWith('.tf'));
const modules = files
  .filter((path) => path.startsWith('terraform/modules/') && path.endsWith('/variables.tf'))
  .map((path) => dirname(path));

describe('README.md', () => {
  it('is there for each module', () => {
    expect(modules.length).toBeGreaterThanOrEqual(9);
  });

  // `npx vitest run test/terraform/readme.test.ts -u` brings the tables up to date.
  it.each(modules)('of %s has its inputs and outputs', async (directory) => {
    await expect(await readmeOf(directory)).toMatchFileSnapshot(`${REPOSITORY}${directory}/README.md`);
  });
});

describe('terraform/', () => {
  const variables = files
    .filter((path) => path.endsWith('variables.tf'))
    .map((path) => [path, readText(path)] as const);
  const outputs = files.filter((path) => path.endsWith('outputs.tf')).map((path) => [path, readText(path)] as const);

  it.each([...variables, ...outputs])('%s describes all that it has', (path, source) => {
    const entries = entriesOf(source);
    expect(entries).toHaveLength(source.match(/^(?:variable|output) /gm)?.length ?? 0);
    for (const { name, description, type } of entries) {
      expect(description, name).toMatch(/\S.*\.$/);
      if (path.endsWith('variables.tf')) expect(type, name).not.toBe('');
    }
  });

  it('asks for versions of providers within ranges', () => {
    for (const path of files.filter((name) => name.endsWith('versions.tf'))) {
      for (const [, range] of readText(path).matchAll(/^ +version = "(.*)"$/gm)) {
        expect(range, path).toMatch(/^(?:~> \d+\.\d+|>= \d+\.\d+, < \d+\.\d+)$/);
      }
    }
  });

  it('makes nothing that would have a secret in the state', () => {
    const secretive =
      /\b(?:tls_private_key|random_password|aws_iam_access_key|google_service_account_key|kubernetes_secret\w*)\b/;
    for (const path of files) expect(readText(path), path).not.toMatch(secretive);
  });

  it('names no machine', () => {
    for (const path of files) expect(readText(path), path).not.toMatch(/\/(?:home|root|work|Users)\//);
  });
});
