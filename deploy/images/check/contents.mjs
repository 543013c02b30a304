// What of a tree is too much, and how big it is.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What belongs to the other program: whose code, and the packages only it has a use for. */
const FOREIGN = {
  // The publisher sees object names only: it opens no packet, reads no key, checks no proof.
  'workflow-manager': [/^dist\/facilitator\//, /^node_modules\/(?:avsc|hysnappy|piscina)\//, /\.wasm$/],
  facilitator: [/^dist\/workflow-manager\//, /^node_modules\/@kubernetes\//],
};
const UNWANTED = [
  [/(?:^|\/)dist\/(?:bench|test|deploy)\//, 'is for development'],
  [/^node_modules\/\.|\/\.bin\//, 'is of npm'],
  [/\.map$/, 'is a source map'],
  [/\.[mc]?ts$/, 'is TypeScript'],
  [/\.node$|\.bare$|\.so(?:\.|$)|\.dylib$|\.dll$|\.exe$/, 'is machine code'],
  [/(?:^|\/)(?:npm|yarn|pnpm|tsc|asc)$/, 'is a build tool'],
  [/(?:^|\/)\.env|\.pem$|\.key$/, 'may be a secret'],
];
const OURS = /^(?:package\.json|dist\/(?:common|facilitator|workflow-manager)\/|node_modules\/)/;

/** Paths in a directory, ascending. Links are listed, not followed. */
export function filesIn(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * Files that an image must not have.
 * @param {string} program
 * @param {string} app its directory
 * @param {string[]} files paths in `app`
 * @param {Record<string, {dev?: boolean, optional?: boolean}>} entries of package-lock.json
 * @returns {string[]} a line each
 */
export function superfluous(program, app, files, entries) {
  const findings = files.flatMap((file) => {
    if (!OURS.test(file)) return [`${file} has no place in an image`];
    if (FOREIGN[program].some((pattern) => pattern.test(file))) return [`${file} is not for ${program}`];
    return UNWANTED.filter(([pattern]) => pattern.test(file)).map(([, why]) => `${file} ${why}`);
  });
  for (const place of placesIn(files)) {
    const entry = entries[place];
    if (!entry) findings.push(`${place} is not in package-lock.json`);
    else if (entry.dev) findings.push(`${place} is for development`);
    else if (entry.optional) findings.push(`${place} is optional`);
    else if (JSON.parse(readFileSync(join(app, place, 'package.json'), 'utf8')).version !== entry.version) {
      findings.push(`${place} is not the version of package-lock.json`);
    }
  }
  return findings;
}

/** What the bill of materials and the tree do not have in common, by name and version. */
export function misbilled(bill, app, files) {
  const listed = new Set(bill.components.map(({ name, version }) => `${name}@${version}`));
  const there = new Set(
    placesIn(files).map((place) => {
      const { name, version } = JSON.parse(readFileSync(join(app, place, 'package.json'), 'utf8'));
      return `${name}@${version}`;
    }),
  );
  return [
    ...[...listed].filter((one) => !there.has(one)).map((one) => `sbom.cdx.json lists ${one}, which is not there`),
    ...[...there].filter((one) => !listed.has(one)).map((one) => `sbom.cdx.json does not list ${one}`),
  ];
}

/** Of installed packages: node_modules/a, node_modules/a/node_modules/@b/c. */
function placesIn(files) {
  return files
    .filter((file) => /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(file))
    .map((file) => file.slice(0, -'/package.json'.length));
}

/** Bytes of all files. */
export function sizeOf(directory, files) {
  return files.reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);
}
