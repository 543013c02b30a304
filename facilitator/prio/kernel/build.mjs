/*
 * Compiles the kernel into dist/, unless nothing changed since: `node facilitator/prio/kernel/build.mjs`.
 * AssemblyScript checks types itself, hence tsc has no part in it.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./', import.meta.url));
const compiler = fileURLToPath(import.meta.resolve('assemblyscript'));
const target = fileURLToPath(new URL('../../../dist/facilitator/prio/', import.meta.url));
const kernel = `${target}kernel.wasm`;

const sources = readdirSync(folder).map((name) => folder + name);

if (!isNewer(kernel, [...sources, compiler])) await compile();

/** @param {string} made @param {string[]} from */
function isNewer(made, from) {
  const madeMs = statSync(made, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return from.every((path) => statSync(path).mtimeMs < madeMs);
}

async function compile() {
  const { main } = await import('assemblyscript/asc');
  mkdirSync(target, { recursive: true });
  // Renamed when complete: a program that starts meanwhile reads the kernel before or the one after.
  const draft = `${kernel}.${process.pid}`;
  const optimized = ['--optimizeLevel', '3', '--shrinkLevel', '0', '--noAssert', '--runtime', 'stub'];
  // 112 warns of vectors in exports, which are those of files here and none of the kernel.
  const vectors = ['--enable', 'simd', '--disableWarning', '112'];
  const options = ['--outFile', draft, '--baseDir', '/', ...optimized, ...vectors];
  const { stdout, stderr } = process;
  const { error } = await main([`${folder}kernel.ts`, ...options], { stdout, stderr });
  if (error) {
    rmSync(draft, { force: true });
    process.exitCode = 1;
    return;
  }
  renameSync(draft, kernel);
}
