import { posix } from 'node:path';
import { layerOf, LAYERS, type Layer } from './layers.ts';
import type { SourceFile } from './repository.ts';
import { codeOnly, importsOf, type Import } from './source-text.ts';

/** Lines. */
const MAX_LINES = 400;

const PRODUCTION = /^(?:common|facilitator|workflow-manager|deploy)\//;
const CLOUD_SDK = /^@(?:google-cloud|aws-sdk|smithy|kubernetes)\//;
const RANDOM_NAMES = /\b(?:random\w*|webcrypto|getRandomValues|default)\b|\*|^\w/;

interface Ban {
  readonly rule: string;
  readonly where: (path: string) => boolean;
  readonly pattern: RegExp;
}

const outsideMain = (path: string): boolean => PRODUCTION.test(path) && !isMain(path);
const isPure = (path: string): boolean => /^(?:facilitator\/prio|common\/domain)\//.test(path);
const isPrio = (path: string): boolean => path.startsWith('facilitator/prio/');

const MAIN_ONLY = 'only main.ts reads arguments, environment, clock and randomness; take it as an argument';

const BANS: readonly Ban[] = [
  {
    rule: MAIN_ONLY,
    where: outsideMain,
    pattern:
      /\bprocess\s*(?:\?\.|\.)\s*(?:argv|env|hrtime|uptime)\b|\bprocess\s*\[|\bDate\.now\b|\bnew Date\b(?!\s*\(\s*[^\s)])|(?<!\bnew |[\w.])Date\(|\bperformance\.(?:now|timeOrigin)\b|\bMath\.random\b|\bgetRandomValues\b|\brandomUUID\b|(?<![\w.])(?:globalThis\.)?crypto\.|\{[^{}]*\}\s*=\s*process\b/,
  },
  { rule: 'prio/ and domain/ are synchronous', where: isPure, pattern: /\b(?:async|await)\b/ },
  {
    rule: 'no BigInt in the path of the packets: it is an order of magnitude slower',
    where: isPrio,
    pattern: /\bBigInt\s*\(|\bBigInt\.|\bBigU?Int64Array\b|\b(?:0[xX][\da-fA-F]+|0[bB][01]+|\d[\d_]*)n\b/,
  },
];

/** What is wrong with a file, each with file, finding and rule; empty if nothing is. */
export function violations({ path, source }: SourceFile): string[] {
  const found: string[] = [];
  const lines = source.replace(/\n$/, '').split('\n').length;
  if (lines > MAX_LINES) found.push(`${path} has ${lines} lines: a file has at most ${MAX_LINES}`);
  if (!PRODUCTION.test(path)) return found;
  const code = codeOnly(source);
  for (const { rule, where, pattern } of BANS) {
    const match = where(path) ? pattern.exec(code) : null;
    if (match) found.push(`${path} has '${match[0]}': ${rule}`);
  }
  const key = layerOf(path);
  if (key === undefined) return [...found, `${path} is in no layer: place it in test/support/layers.ts`];
  // `layerOf` gives keys of `LAYERS` only.
  return [...found, ...importsOf(source).flatMap((entry) => importViolations(path, key, LAYERS[key]!, entry))];
}

function importViolations(path: string, key: string, layer: Layer, entry: Import): string[] {
  const { specifier } = entry;
  const violation = (rule: string): string[] => [`${path} imports '${specifier ?? 'a computed name'}': ${rule}`];
  if (specifier === undefined) return violation('the name of a module is a literal, so that this test can see it');
  if (!specifier.startsWith('.')) return otherViolations(path, key, layer, entry, specifier, violation);
  const target = posix.join(posix.dirname(path), specifier);
  if (isMain(target)) return violation('nobody imports a main.ts');
  if (entry.typeOnly && layer.types?.includes(target)) return [];
  const targetKey = layerOf(target);
  if (targetKey !== undefined && (targetKey === key || layer.ours.includes(targetKey))) return [];
  const allowed = [...layer.ours, ...(layer.types ?? []).map((file) => `types of ${file}`)].join(', ') || 'nothing';
  return violation(`${key} may import only ${allowed}`);
}

function otherViolations(
  path: string,
  key: string,
  { others }: Layer,
  { clause, typeOnly }: Import,
  specifier: string,
  violation: (rule: string) => string[],
): string[] {
  if (CLOUD_SDK.test(specifier) && !path.split('/').includes('backends')) {
    return violation('cloud SDKs belong in folders named backends');
  }
  if (others && !others.includes(specifier)) {
    return violation(`${key} may import of others only ${others.join(', ') || 'nothing'}`);
  }
  if (isMain(path) || typeOnly) return [];
  const isRandom = /^(?:node:)?crypto$/.test(specifier) && RANDOM_NAMES.test(clause);
  return isRandom || /^(?:node:)?(?:process|perf_hooks)$/.test(specifier) ? violation(MAIN_ONLY) : [];
}

function isMain(path: string): boolean {
  return posix.basename(path) === 'main.ts';
}
