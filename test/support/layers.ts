/** What the files of one layer may import besides each other. */
export interface Layer {
  /** Layers of ours, by their keys in `LAYERS`. */
  readonly ours: readonly string[];
  /** Modules that are not ours: node's and npm's; without it any. */
  readonly others?: readonly string[];
  /** Files that may be imported as types only. */
  readonly types?: readonly string[];
}

const COMMON_PORTS = ['common/errors.ts', 'common/domain/', 'common/ports/'];
const RUNTIME_FOR_USE_CASES = [
  'common/runtime/read-object.ts',
  'common/runtime/stream-object.ts',
  'common/runtime/breathe.ts',
];
/** What keeps secrets out of texts. */
const SCRUBBING = ['common/runtime/redact.ts', 'common/runtime/scrub.ts'];
const COMMON = [...COMMON_PORTS, 'common/runtime/', ...RUNTIME_FOR_USE_CASES, ...SCRUBBING];
const COMMON_FOR_USE_CASES = [...COMMON_PORTS, ...RUNTIME_FOR_USE_CASES];
const PURE_FACILITATOR = [
  'facilitator/errors.ts',
  'facilitator/prio/',
  'facilitator/crypto/',
  'facilitator/codec/',
  'facilitator/batch/',
  'facilitator/join/',
  'facilitator/sealed-sum/',
  'facilitator/packets/',
];
const FACILITATOR = [...PURE_FACILITATOR, 'facilitator/*.ts', 'facilitator/sample/', 'facilitator/metrics/'];

/**
 * Who may import whom. A file belongs to the most specific key: a file's path, `folder/*.ts` for the files directly in
 * a folder, `folder/` for all that is in it. Type-only imports count like others. The backends are for `wire.ts`
 * alone, and `main.ts` is for nobody.
 */
export const LAYERS: Readonly<Record<string, Layer>> = {
  'common/errors.ts': { ours: [], others: [] },
  'common/domain/': { ours: ['common/errors.ts'], others: ['node:crypto'] },
  'common/ports/': { ours: ['common/domain/'], others: [] },
  'common/backends/': { ours: COMMON_PORTS },
  'common/runtime/': { ours: [...COMMON_PORTS, ...RUNTIME_FOR_USE_CASES, ...SCRUBBING] },
  // Apart from the rest of their folder because use cases need them; hence they need nothing of that folder.
  'common/runtime/read-object.ts': { ours: COMMON_PORTS, others: ['p-retry'] },
  'common/runtime/stream-object.ts': { ours: [...COMMON_PORTS, 'common/runtime/read-object.ts'], others: ['p-retry'] },
  'common/runtime/redact.ts': { ours: ['common/errors.ts'], others: [] },
  'common/runtime/scrub.ts': { ours: ['common/runtime/redact.ts'], others: [] },
  'common/runtime/breathe.ts': { ours: [], others: ['node:timers/promises'] },

  'facilitator/errors.ts': { ours: ['common/errors.ts'], others: [] },
  'facilitator/prio/': { ours: ['facilitator/errors.ts'], others: ['node:crypto'] },
  'facilitator/crypto/': {
    ours: ['facilitator/errors.ts', 'common/errors.ts'],
    others: ['node:crypto', 'node:diagnostics_channel'],
  },
  'facilitator/codec/': { ours: ['facilitator/errors.ts', 'common/errors.ts', 'common/domain/'] },
  'facilitator/batch/': {
    ours: ['facilitator/errors.ts', 'facilitator/codec/', 'facilitator/crypto/', ...COMMON_FOR_USE_CASES],
    types: ['facilitator/prio/verification.ts'],
  },
  // Tables of many packets and what is found with them; no input or output.
  'facilitator/join/': {
    ours: ['facilitator/errors.ts', 'facilitator/prio/', 'common/errors.ts', 'common/domain/'],
    others: [],
    types: ['facilitator/codec/record-block.ts'],
  },
  'facilitator/sealed-sum/': {
    ours: ['facilitator/errors.ts', 'facilitator/prio/', 'facilitator/crypto/', ...COMMON_PORTS],
    others: ['node:crypto'],
    types: ['facilitator/join/own-block.ts'],
  },
  // What opens the packets of a batch on all cores.
  'facilitator/packets/': {
    ours: [
      'facilitator/errors.ts',
      'facilitator/prio/',
      'facilitator/crypto/',
      'facilitator/codec/',
      ...COMMON_PORTS,
      'common/runtime/breathe.ts',
    ],
  },
  // Names and whoever counts by them; scraping is a matter of the operations.
  'facilitator/metrics/': { ours: COMMON_PORTS, others: [] },
  'facilitator/operations/': {
    ours: ['facilitator/metrics/', ...COMMON_PORTS, 'common/runtime/'],
    types: ['facilitator/worker/observer.ts'],
  },
  // What other parties publish; also whoever reads it over the network.
  'facilitator/manifest/': {
    ours: ['facilitator/errors.ts', 'facilitator/crypto/', ...COMMON_PORTS],
    types: ['common/runtime/log.ts'],
  },
  'facilitator/sample/': { ours: [...PURE_FACILITATOR, ...COMMON_FOR_USE_CASES] },
  // The use cases.
  'facilitator/*.ts': { ours: [...PURE_FACILITATOR, 'facilitator/metrics/', ...COMMON_FOR_USE_CASES] },
  // For any kind of tasks: it knows none of the use cases.
  'facilitator/worker/': {
    ours: ['facilitator/errors.ts', ...SCRUBBING, ...COMMON_PORTS],
    types: ['common/runtime/log.ts'],
  },
  'facilitator/wire.ts': { ours: [...FACILITATOR, ...COMMON, 'common/backends/'] },
  // The command line: options, commands, the program that has them.
  'facilitator/storage-options.ts': {
    ours: ['facilitator/wire.ts', 'facilitator/metrics/', ...COMMON_PORTS, 'common/runtime/'],
  },
  'facilitator/options.ts': {
    ours: [
      ...FACILITATOR,
      'facilitator/storage-options.ts',
      'facilitator/wire.ts',
      'common/runtime/',
      'common/domain/',
      'common/errors.ts',
    ],
  },
  'facilitator/commands/': {
    ours: [
      ...FACILITATOR,
      'facilitator/manifest/',
      'facilitator/worker/',
      'facilitator/operations/',
      'facilitator/wire.ts',
      'facilitator/storage-options.ts',
      'facilitator/options.ts',
      ...COMMON_PORTS,
      'common/runtime/',
    ],
  },
  'facilitator/program.ts': { ours: ['facilitator/commands/', 'facilitator/options.ts', 'common/runtime/'] },
  'facilitator/main.ts': {
    ours: [
      ...FACILITATOR,
      'facilitator/wire.ts',
      'facilitator/options.ts',
      'facilitator/commands/',
      'facilitator/program.ts',
      ...COMMON,
      'common/backends/',
    ],
  },

  'workflow-manager/*.ts': { ours: COMMON_FOR_USE_CASES },
  'workflow-manager/backends/': { ours: ['workflow-manager/*.ts', ...COMMON_PORTS] },
  'workflow-manager/wire.ts': {
    ours: ['workflow-manager/*.ts', 'workflow-manager/backends/', ...COMMON, 'common/backends/'],
  },
  'workflow-manager/options.ts': {
    ours: [
      'workflow-manager/*.ts',
      'workflow-manager/wire.ts',
      'common/runtime/',
      'common/domain/',
      'common/errors.ts',
    ],
  },
  'workflow-manager/prepare.ts': {
    ours: [
      'workflow-manager/*.ts',
      'workflow-manager/line-printer.ts',
      'workflow-manager/wire.ts',
      'workflow-manager/options.ts',
      ...COMMON_PORTS,
      'common/runtime/',
    ],
  },
  'workflow-manager/line-printer.ts': { ours: [], types: ['common/runtime/standard-output.ts'] },
  'workflow-manager/command.ts': {
    ours: [
      'workflow-manager/*.ts',
      'workflow-manager/options.ts',
      'workflow-manager/prepare.ts',
      'common/domain/',
      'common/runtime/',
    ],
  },
  'workflow-manager/main.ts': { ours: ['workflow-manager/command.ts', 'common/runtime/', 'common/errors.ts'] },

  'deploy/': { ours: [...COMMON, 'common/backends/', ...FACILITATOR, 'workflow-manager/*.ts'] },
};

/** The key of the layer that a file is in, `undefined` if it is in none. */
export function layerOf(path: string): string | undefined {
  return Object.keys(LAYERS)
    .filter((key) => covers(key, path))
    .sort((a, b) => specificity(b) - specificity(a))[0];
}

function covers(key: string, path: string): boolean {
  if (key.endsWith('/')) return path.startsWith(key);
  if (key.endsWith('/*.ts')) return path.slice(0, path.lastIndexOf('/')) === key.slice(0, -'/*.ts'.length);
  return path === key;
}

/** Files before `*.ts` before folders, deep folders before shallow ones. */
function specificity(key: string): number {
  const form = key.endsWith('/') ? 0 : key.endsWith('*.ts') ? 1 : 2;
  return form * 1000 + key.length;
}
