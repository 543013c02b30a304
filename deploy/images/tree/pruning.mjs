// What of a package no running program reads. Rules by name, not by what is imported: packages load code and data by
// computed names too. check/links.mjs proves that nothing which stays refers to what goes.

const TYPES = /\.d\.[mc]?ts$/;
/** Types, sources of what is compiled, maps, texts for people, sources and addons for other runtimes than Node. */
const UNREAD =
  /\.(?:d\.[mc]?ts|[mc]?tsx?|map|flow|md|markdown|tsbuildinfo|bare|c|cc|cpp|h|gyp|gypi|sh|cmd|ya?ml|html|css|png|svg|lock)$/i;
const UNREAD_NAMES =
  /^(?:makefile|cmakelists\.txt|changelog|changes|history|authors|contributors|readme|package-lock\.json|tsconfig.*\.json|tslint\.json|bower\.json|component\.json|karma\.conf\.js|eslint\.config\.[mc]?js|rollup\.config\.[mc]?js|gulpfile\.js|gruntfile\.js)(?:\.txt)?$/i;
/** Directories at the top of a package. */
const UNREAD_DIRECTORIES =
  /^(?:tests?|__tests__|spec|docs?|examples?|bench|benchmarks?|coverage|fixtures|scripts|man)$/i;
/** Who made it and under which terms: stays whatever the rules say. */
const TERMS = /^(?:licen[cs]e|notice|copying|copyright)/i;
/** Builds for bundlers and compilers, beside the one for Node. */
const BUILDS =
  /^(?:dist-es|dist-types|(?:build|dist|lib)\/(?:esm|esnext|es|es6|umd|browser|types)|es6|es2018|esm|umd|browser)$/;
const BROWSER_FILE = /[.-](?:browser|umd)(?:[.-][^/]*)?\.[mc]?js$/;
/** Files at the top of a package. */
const UNREAD_PROGRAMS = /^(?:bench|benchmark|test|example)\.[mc]?js$/;

const CONDITIONS = ['import', 'require'].map(
  (kind) => new Set(['node', 'node-addons', 'module-sync', 'default', kind]),
);

/**
 * Whether a file of a package belongs in an image.
 * @param {object} manifest the package's package.json
 * @returns {(path: string) => boolean} takes a path in the package
 */
export function pruningFor(manifest) {
  const entryPoints = entryPointsOf(manifest);
  const isEntryPoint = (path) => entryPoints.some((entry) => entry === path || `${entry}.js` === path);
  const isEntered = (directory) => entryPoints.some((entry) => `${entry}/`.startsWith(`${directory}/`));
  return (path) => {
    const parts = path.split('/');
    const name = parts.at(-1);
    if (path === 'package.json' || TERMS.test(name)) return !UNREAD_DIRECTORIES.test(parts[0]) || parts.length === 1;
    // Some packages export their types too, by path.
    if (isEntryPoint(path) && !TYPES.test(path)) return true;
    if (parts.some((part) => part.startsWith('.'))) return false;
    if (UNREAD_PROGRAMS.test(path)) return false;
    if (UNREAD.test(name) || UNREAD_NAMES.test(name) || BROWSER_FILE.test(path)) return false;
    const directories = parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'));
    return !directories.some((directory, depth) => {
      const unread = (depth === 0 && UNREAD_DIRECTORIES.test(directory)) || BUILDS.test(directory);
      return unread && !isEntered(directory);
    });
  };
}

/** The files that Node may enter a package by, as `import` or `require` finds them; a `*` ends the path. */
export function entryPointsOf({ main, exports, imports = {} }) {
  const targets = exports === undefined ? [main ?? 'index.js'] : CONDITIONS.flatMap((on) => targetsOf(exports, on));
  const internal = CONDITIONS.flatMap((on) => targetsOf(imports, on));
  return [...targets, ...internal].map((path) => path.replace(/^\.\//, '').replace(/\/?\*.*$/s, ''));
}

/** As Node picks them: the first condition that holds. */
function targetsOf(value, conditions) {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap((one) => targetsOf(one, conditions));
  if (value === null || typeof value !== 'object') return [];
  const keys = Object.keys(value);
  if (keys.some((key) => /^[.#]/.test(key))) return keys.flatMap((key) => targetsOf(value[key], conditions));
  const key = keys.find((name) => conditions.has(name));
  return key === undefined ? [] : targetsOf(value[key], conditions);
}
