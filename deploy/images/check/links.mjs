// Whether everything that the code of a tree names is there, by comparison with where it was copied from.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { BUILT_FILE, packageOf } from '../tree/modules.mjs';

const CODE = /\.[mc]?js$/;
const REFERENCES = [
  /\brequire(?:\.resolve)?\(\s*['"]([^'"\n]+)['"]\s*\)/g,
  /\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g,
  /\b(?:from|import)\s*['"]([^'"\n]+)['"]/g,
  /\bnew URL\(\s*['"](\.[^'"\n]+)['"],\s*import\.meta\.url/g,
];
/** Paths put together: `join(__dirname, '..', 'x.json')`. */
const JOINED = /\b(?:join|resolve)\(\s*__dirname((?:\s*,\s*['"][^'"\n]+['"])+)\s*\)/g;
const COMMENTS = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
const ENDINGS = ['', '.js', '.cjs', '.mjs', '.json', '/index.js', '/package.json'];

/**
 * References that hold in `original` and no more in `app`.
 * @param {string} app directory with dist/ and node_modules/
 * @param {string[]} files paths in it
 * @param {string} original the repository that it is from
 * @param {Record<string, {dev?: boolean, optional?: boolean}>} entries of its package-lock.json
 * @returns {string[]} a line each
 */
export function brokenLinks(app, files, original, entries) {
  return files
    .filter((file) => CODE.test(file))
    .flatMap((file) =>
      referencesIn(readFileSync(join(app, file), 'utf8'), file.startsWith('dist/'))
        .filter((reference) => isLost(reference, dirname(file), { app, original, entries }))
        .map((reference) => `${file} needs ${reference}`),
    );
}

function referencesIn(text, isOurs) {
  const code = text.replace(COMMENTS, '');
  const named = REFERENCES.flatMap((form) => [...code.matchAll(form)].map(([, reference]) => reference));
  const joined = [...code.matchAll(JOINED)].map(
    ([, parts]) => `./${[...parts.matchAll(/['"]([^'"]+)['"]/g)].map(([, part]) => part).join('/')}`,
  );
  const built = isOurs ? [...code.matchAll(BUILT_FILE)].map(([, name]) => `/dist/${name}`) : [];
  return [...new Set([...named, ...joined, ...built])];
}

function isLost(reference, directory, { app, original, entries }) {
  if (/^[./]/.test(reference)) {
    const path = reference.startsWith('/') ? reference : join(directory, reference);
    return isThere(join(original, path)) && !isThere(join(app, path));
  }
  if (isBuiltin(reference) || reference.startsWith('#')) return false;
  const place = placeOf(packageOf(reference), directory, entries);
  if (!place || entries[place].dev || entries[place].optional) return false;
  const rest = reference.slice(packageOf(reference).length);
  // A path in another package: only that it was there and is not says that it was lost; exports may name it otherwise.
  if (rest && isThere(join(original, place + rest))) return !isThere(join(app, place + rest));
  return !existsSync(join(app, place, 'package.json'));
}

function isThere(path) {
  return ENDINGS.some((ending) => statSync(path + ending, { throwIfNoEntry: false })?.isFile());
}

function placeOf(name, directory, entries) {
  for (let from = directory; ; from = dirname(from)) {
    const place = join(from, 'node_modules', name);
    if (place in entries) return place;
    if (from === '.') return undefined;
  }
}
