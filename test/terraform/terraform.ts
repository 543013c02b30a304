import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { installedTool, tool, withoutTools } from '../services/service.ts';
import { REPOSITORY } from '../support/repository.ts';
import { cannotRun } from '../support/skip.ts';

/** Of the stand-in for the provider of Google: that of `test/vectors/terraform-google-provider.json`. */
const GOOGLE_VERSION = '6.41.0';
const GOOGLE_STAND_IN = 'terraform-provider-google';
const GOOGLE_LIST = `${REPOSITORY}test/vectors/terraform-google-provider.json`;

const REGISTRY = 'registry.terraform.io';
const AWS = join(REGISTRY, 'hashicorp', 'aws');

/** What a run of terraform said. */
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A copy of `terraform/` outside the checkout, where terraform may leave what it likes. */
export interface Workspace extends Disposable {
  readonly root: string;
  /** @param directory from the root, `modules/aws/buckets` */
  readonly terraform: (directory: string, ...args: readonly string[]) => Promise<Said>;
  readonly run: (directory: string, program: string, ...args: readonly string[]) => Promise<Said>;
  /** As `terraform`; throws with all that was said if it fails. */
  readonly succeed: (directory: string, ...args: readonly string[]) => Promise<Said>;
}

/**
 * As `withoutTools`, for terraform with its provider of AWS, too: that is looked for in `DSP_TERRAFORM_MIRROR` and where
 * mirrors usually are (`terraform providers mirror`). Under `CI=true` without a mirror, it is downloaded.
 */
export function withoutTerraform(what: string, ...names: readonly string[]): boolean {
  if (withoutTools(what, ...names)) return true;
  if (process.env['CI'] === 'true') return false;
  const isInPath = (process.env['PATH'] ?? '').split(delimiter).some((place) => existsSync(join(place, 'terraform')));
  return (
    cannotRun(isInPath, `${what}: needs terraform`) ||
    cannotRun(mirror() !== undefined, `${what}: needs a mirror with hashicorp/aws (DSP_TERRAFORM_MIRROR)`)
  );
}

function mirror(): string | undefined {
  const given = process.env['DSP_TERRAFORM_MIRROR'];
  if (given !== undefined) return given;
  const places = [
    '/opt',
    '/usr/share',
    '/usr/local/share',
    '/usr/local/share/terraform',
    join(homedir(), '.terraform.d'),
  ];
  const children = places.flatMap((place) =>
    existsSync(place) ? readdirSync(place).map((name) => join(place, name)) : [],
  );
  return children.find((place) => existsSync(join(place, AWS)));
}

export function openWorkspace(): Workspace {
  const base = mkdtempSync(join(tmpdir(), 'dsp-terraform-'));
  const root = join(base, 'terraform');
  cpSync(`${REPOSITORY}terraform`, root, { recursive: true });
  const config = join(base, 'terraform.rc');
  writeFileSync(config, configuration(join(base, 'providers')));
  const env = {
    PATH: process.env['PATH'],
    HOME: base,
    TF_CLI_CONFIG_FILE: config,
    TF_IN_AUTOMATION: 'true',
    GOOGLE_PROVIDER_LIST: GOOGLE_LIST,
  };
  const run: Workspace['run'] = (directory, program, ...args) =>
    new Promise((resolve, reject) => {
      const options = { cwd: join(root, directory), env, maxBuffer: 64 * 1024 * 1024 };
      const child = execFile(program, args, options, (error, stdout, stderr) => {
        if (error && child.exitCode === null) reject(error);
        else resolve({ status: child.exitCode ?? 0, stdout, stderr });
      });
    });
  const terraform: Workspace['terraform'] = (directory, ...args) => run(directory, 'terraform', ...args);
  return {
    root,
    run,
    terraform,
    async succeed(directory, ...args) {
      const said = await terraform(directory, ...args);
      if (said.status === 0) return said;
      throw new Error(`terraform ${args.join(' ')} in ${directory}:\n${said.stdout}\n${said.stderr}`);
    },
    [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }),
  };
}

/** Of terraform, for an installation from directories alone, or, without a mirror, for AWS from the registry. */
function configuration(providers: string): string {
  const google = installedTool(GOOGLE_STAND_IN) === undefined ? [] : [offerGoogle(providers)];
  const aws = mirror();
  const directories = [...google, ...(aws === undefined ? [] : [aws])];
  const blocks = directories.map((path) => `  filesystem_mirror {\n    path = ${JSON.stringify(path)}\n  }\n`);
  const rest = aws === undefined ? '  direct {\n    exclude = ["hashicorp/google"]\n  }\n' : '';
  return `disable_checkpoint = true\nprovider_installation {\n${blocks.join('')}${rest}}\n`;
}

/** @returns a mirror that has the stand-in */
function offerGoogle(providers: string): string {
  const platform = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const place = join(providers, REGISTRY, 'hashicorp', 'google', GOOGLE_VERSION, platform);
  mkdirSync(place, { recursive: true });
  copyFileSync(tool(GOOGLE_STAND_IN), join(place, `${GOOGLE_STAND_IN}_v${GOOGLE_VERSION}`));
  return providers;
}
