// What a program of ours consists of: its compiled modules, the files of the build that it reads, the packages that it
// imports. Found by following imports from its main.js, so that what nobody imports any more stays out.
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { isBuiltin } from 'node:module';

// tsc prints imports at the start of a line, in single quotes as the sources have them; its comments never do that.
const STATIC = /^(?:import|export)\s+(?:[\w$*{},\s]+?\s+from\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;
const COMPUTED = /^(?!\s*(?:\/\/|\*|\/\*)).*\bimport\((?!\s*'[^']+'\s*\))/m;
/** The argument of `builtFile`: the code of a thread, a kernel. */
export const BUILT_FILE = /'((?:common|facilitator|workflow-manager)\/[\w./-]+\.(?:js|wasm))'/g;

/**
 * Everything that `main` reaches, itself included.
 * @param {string} dist directory of compiled code
 * @param {string} main path of a module in it: facilitator/main.js
 * @returns {{files: string[], packages: string[]}} paths in `dist`, names of packages; both ascending
 */
export function reachedFrom(dist, main) {
  const files = new Set([main]);
  /** @type {Set<string>} */
  const packages = new Set();
  // A set hands out also what is added to it meanwhile.
  for (const file of files) {
    if (!file.endsWith('.js')) continue;
    for (const target of importsOf(join(dist, file))) {
      if (target.builtFile) files.add(target.builtFile);
      else if (/^\.\.?\//.test(target.specifier)) files.add(normalize(join(dirname(file), target.specifier)));
      else if (!isBuiltin(target.specifier)) packages.add(packageOf(target.specifier));
    }
  }
  return { files: [...files].sort(), packages: [...packages].sort() };
}

/** `@aws-sdk/client-s3` of `@aws-sdk/client-s3/dist-cjs/x.js`. */
export function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function importsOf(path) {
  const text = readFileSync(path, 'utf8');
  const computed = COMPUTED.exec(text);
  if (computed) throw new Error(`${path} imports what only shows when it runs: ${computed[0].trim()}`);
  return [
    ...[STATIC, DYNAMIC].flatMap((form) => [...text.matchAll(form)].map(([, specifier]) => ({ specifier }))),
    ...[...text.matchAll(BUILT_FILE)].map(([, builtFile]) => ({ builtFile })),
  ];
}
