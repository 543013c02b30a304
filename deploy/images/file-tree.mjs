// Lays out what the image of a program holds besides its base, with no container engine:
//   node deploy/images/file-tree.mjs facilitator|workflow-manager DIRECTORY
// The Dockerfiles do just that after `npm ci` and `npm run build`. README.md, "What is in an image".
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reachedFrom } from './tree/modules.mjs';
import { neededPlaces } from './tree/packages.mjs';
import { pruningFor } from './tree/pruning.mjs';

export const PROGRAMS = ['facilitator', 'workflow-manager'];
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Writes `app/` (compiled code, package.json, node_modules) and `usr/share/doc/PROGRAM/` (licence, bill of materials)
 * into `target`, which must not exist or be empty. Reads `dist/` and `node_modules/` of the repository.
 * @param {string} program one of `PROGRAMS`
 * @param {string} target directory
 */
export function buildFileTree(program, target) {
  if (!PROGRAMS.includes(program)) throw new Error(`there is no program ${program}, only ${PROGRAMS.join(' and ')}`);
  const main = `${program}/main.js`;
  if (!existsSync(join(REPOSITORY, 'dist', main))) throw new Error(`there is no dist/${main}; run npm run build`);
  if (existsSync(target) && readdirSync(target).length > 0) throw new Error(`${target} is not empty; remove it first`);
  const app = join(target, 'app');
  const docs = join(target, 'usr/share/doc', program);
  mkdirSync(app, { recursive: true });
  mkdirSync(docs, { recursive: true });

  const { files, packages } = reachedFrom(join(REPOSITORY, 'dist'), main);
  for (const file of files) copy(join(REPOSITORY, 'dist', file), join(app, 'dist', file));

  const { overrides, ...own } = readJson(join(REPOSITORY, 'package.json'));
  const manifest = manifestFor(program, own, packages);
  writeJson(join(app, 'package.json'), manifest);
  const lock = readJson(join(REPOSITORY, 'package-lock.json'));
  const places = neededPlaces(lock.packages, packages);
  for (const place of places) copyPackage(place, lock.packages[place].version, app);

  cpSync(join(REPOSITORY, 'LICENSE'), join(docs, 'LICENSE'));
  const entries = Object.fromEntries(places.map((place) => [place, lock.packages[place]]));
  writeFileSync(
    join(docs, 'sbom.cdx.json'),
    billOfMaterials({ ...manifest, overrides }, { ...lock, packages: { '': manifest, ...entries } }),
  );
}

/** package.json of the program alone: its name and packages, the rest as the repository has it. */
function manifestFor(name, { version, license, type, dependencies }, packages) {
  const needed = Object.fromEntries(packages.map((one) => [one, dependencies[one]]));
  return { name, version, private: true, license, type, dependencies: needed };
}

function copyPackage(place, version, app) {
  const source = join(REPOSITORY, place);
  const manifest = readJson(join(source, 'package.json'));
  if (manifest.version !== version) {
    throw new Error(`${place} is ${manifest.version} where package-lock.json has ${version}; run npm ci`);
  }
  const isWanted = pruningFor(manifest);
  for (const file of filesOfPackage(source)) {
    const path = relative(source, file);
    if (isWanted(path)) copy(file, join(app, place, path));
  }
}

/** Without packages that it has inside, which have places of their own. */
function* filesOfPackage(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) yield path;
    else if (entry.name !== 'node_modules') yield* filesOfPackage(path);
  }
}

/** CycloneDX, as npm writes it from package.json and package-lock.json; it names what it lists by their directory. */
function billOfMaterials(manifest, lock) {
  const scratch = mkdtempSync(join(tmpdir(), 'dsp-sbom-'));
  const directory = join(scratch, manifest.name);
  try {
    mkdirSync(directory);
    writeJson(join(directory, 'package.json'), manifest);
    writeJson(join(directory, 'package-lock.json'), { ...lock, name: manifest.name });
    // With --omit=optional npm leaves out also what is optional to one package and needed by another.
    const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only', '--offline'];
    return execFileSync('npm', args, {
      cwd: directory,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      // What npm says of itself; its errors are in the exception.
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [program, target] = process.argv.slice(2);
  if (process.argv.length !== 4) {
    process.stderr.write(`usage: node file-tree.mjs ${PROGRAMS.join('|')} DIRECTORY\n`);
    process.exitCode = 64;
  } else buildFileTree(program, target);
}
