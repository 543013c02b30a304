// Builds the file trees of both images in a temporary directory and proves that they are complete and no more:
//   node deploy/images/check.mjs [NODE]
// NODE runs the programs; default: the Node that runs this. Needs node_modules/ and dist/. README.md, "What is checked".
import { mkdirSync, mkdtempSync, readFileSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkClouds } from './check/clouds.mjs';
import { filesIn, misbilled, sizeOf, superfluous } from './check/contents.mjs';
import { checkFlow } from './check/flow.mjs';
import { brokenLinks } from './check/links.mjs';
import { Failed, Runner } from './check/process.mjs';
import { checkHelp, checkPackages } from './check/runs.mjs';
import { buildFileTree, PROGRAMS } from './file-tree.mjs';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
/** Of our files and packages, for each program. */
export const MAX_MEGABYTES = 60;

/** Whether Node would look for packages above a directory. */
function hasPackagesAbove(directory) {
  if (existsSync(join(directory, 'node_modules'))) return true;
  return dirname(directory) !== directory && hasPackagesAbove(dirname(directory));
}

/** @returns {string[]} what is wrong with the files of a tree */
export function faultsOf(program, tree) {
  const app = join(tree, 'app');
  const files = filesIn(app);
  const entries = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')).packages;
  const bill = JSON.parse(readFileSync(join(tree, 'usr/share/doc', program, 'sbom.cdx.json'), 'utf8'));
  return [
    ...superfluous(program, app, files, entries),
    ...brokenLinks(app, files, REPOSITORY, entries),
    ...misbilled(bill, app, files),
  ];
}

/** Megabytes of a tree and of its parts, and how many files it has. */
export function measure(tree) {
  const files = filesIn(tree);
  const megabytes = (pattern) =>
    sizeOf(
      tree,
      files.filter((file) => pattern.test(file)),
    ) / 1e6;
  return {
    files: files.length,
    total: megabytes(/^/),
    code: megabytes(/^app\/dist\//),
    packages: megabytes(/^app\/node_modules\//),
    documents: megabytes(/^usr\//),
  };
}

/** Runs both programs. @throws Failed */
export async function runAll(node, trees, scratch, nowMs) {
  if (Object.values(trees).some(hasPackagesAbove)) throw new Failed('there is a node_modules above the trees');
  const home = join(scratch, 'home');
  mkdirSync(home);
  const runner = new Runner(node, trees, home);
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
  for (const program of PROGRAMS) {
    await checkHelp(runner, program, version);
    await checkPackages(runner, program, trees[program]);
  }
  await checkFlow(runner, join(scratch, 'flow'), nowMs);
  await checkClouds(runner, join(scratch, 'clouds'));
}

async function main(node) {
  const scratch = mkdtempSync(join(tmpdir(), 'dsp-images-'));
  try {
    const trees = Object.fromEntries(PROGRAMS.map((program) => [program, join(scratch, 'trees', program)]));
    for (const program of PROGRAMS) {
      buildFileTree(program, trees[program]);
      const faults = faultsOf(program, trees[program]);
      const { files, total, code, packages, documents } = measure(trees[program]);
      if (total > MAX_MEGABYTES) faults.push(`${total.toFixed(1)} MB is more than ${MAX_MEGABYTES}`);
      if (faults.length > 0) throw new Failed(`${program}:\n  ${faults.join('\n  ')}`);
      const parts = `code ${code.toFixed(1)}, packages ${packages.toFixed(1)}, documents ${documents.toFixed(1)}`;
      process.stdout.write(`${program}: ${total.toFixed(1)} MB (${parts}) in ${files} files\n`);
    }
    await runAll(node, trees, scratch, Date.now());
    process.stdout.write('both programs run from these files alone\n');
  } catch (err) {
    if (!(err instanceof Failed)) throw err;
    process.stderr.write(`${err.message}\n`);
    process.exitCode = 1;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2] ?? process.execPath);
