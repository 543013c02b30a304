import { afterAll, describe, expect, it } from 'vitest';
import { installedTool } from '../services/service.ts';
import { readText } from '../support/repository.ts';
import { openWorkspace, withoutTerraform } from './terraform.ts';

/** Each starts a provider of several hundred megabytes a few times. */
const LIMIT_MS = 180_000;

describe.skipIf(withoutTerraform('the modules of terraform/'))('terraform/', () => {
  const workspace = openWorkspace();
  afterAll(() => workspace[Symbol.dispose]());

  it('is formatted', async () => {
    const { stdout } = await workspace.terraform('.', 'fmt', '-check', '-recursive', '-diff');
    expect(stdout).toBe('');
  });

  // What it calls is validated, too: all modules that need no Google.
  it('has a valid example for AWS', { timeout: LIMIT_MS }, async () => {
    await workspace.succeed('examples/eks', 'init', '-backend=false', '-input=false');
    const { stdout } = await workspace.succeed('examples/eks', 'validate', '-json');
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, diagnostics: [] });
  });

  it.each([
    'modules/aws/buckets',
    'modules/aws/identity',
    'modules/aws/task-queue',
    'modules/data-share-processor/aws',
    'modules/data-share-processor/rendering',
    'examples/eks',
  ])('%s does what its tests say, with mocks', { timeout: LIMIT_MS }, async (directory) => {
    await workspace.succeed(directory, 'init', '-backend=false', '-input=false');
    await workspace.succeed(directory, 'test', '-no-color');
  });
});

describe.skipIf(withoutTerraform('the rules of terraform/', 'tflint'))('terraform/ by tflint', () => {
  const workspace = openWorkspace();
  afterAll(() => workspace[Symbol.dispose]());

  it('breaks no rule', { timeout: LIMIT_MS }, async () => {
    const args = ['--recursive', `--config=${workspace.root}/.tflint.hcl`, '--no-color'];
    const { status, stdout, stderr } = await workspace.run('.', installedTool('tflint') ?? 'tflint', ...args);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});

describe.skipIf(withoutTerraform('the Google modules of terraform/', 'terraform-provider-google'))(
  'terraform/ for Google',
  () => {
    const workspace = openWorkspace();
    afterAll(() => workspace[Symbol.dispose]());

    it.each([
      'modules/google/buckets',
      'modules/google/identity',
      'modules/google/task-queue',
      'examples/gke',
      'examples/mixed',
    ])(
      '%s uses what the documentation of the provider has, and does what its tests say, with mocks',
      { timeout: LIMIT_MS },
      async (directory) => {
        const { status, stdout, stderr } = await workspace.run('.', './check-google.sh', directory);
        expect({ status, said: stdout + stderr }).toMatchObject({ status: 0 });
      },
    );

    it.each([
      [
        'an argument',
        'uniform_bucket_level_access',
        'uniform_access',
        /An argument named "uniform_access" is not expected/,
      ],
      ['a block', 'soft_delete_policy', 'soft_delete', /Blocks of type "soft_delete" are not expected/],
      ['a type', '"google_storage_bucket" ', '"google_bucket" ', /does not support resource type\s+"google_bucket"/],
    ])('would find %s that the provider has not', { timeout: LIMIT_MS }, async (_, name, wrong, finding) => {
      using copy = openWorkspace();
      const directory = 'modules/google/buckets';
      const source = readText(`terraform/${directory}/main.tf`);
      expect(source).toContain(name);
      await copy.run(directory, 'sed', '-i.orig', `s/${name}/${wrong}/`, 'main.tf');
      await copy.succeed(directory, 'init', '-backend=false', '-input=false');
      const { stdout, stderr } = await copy.terraform(directory, 'validate', '-no-color');
      expect((stdout + stderr).replaceAll(/[│╷╵\n]+/g, ' ')).toMatch(finding);
    });
  },
);
