import { binsOf, intakePartsOf, marginalsOf, peerRatiosOf, subjectsOf, type FigureWork } from './figures.ts';
import { PEER, type Results, type Subject } from './results.ts';
import { ratiosOf, spreadOf, type MarginalTime, type Spread } from './statistics.ts';

/** What we promise, and what was found. */
export interface Verdict {
  readonly what: string;
  readonly subject: string;
  readonly sense: 'at most' | 'at least';
  readonly limit: number;
  readonly unit: string;
  readonly found: Spread;
  /**
   * By the median. `unclear` if a figure is not above zero: the batches were so small, or the machine so busy, that
   * chance decided which of them took longer.
   */
  readonly outcome: 'kept' | 'missed' | 'unclear';
}

/** A promise, by the major version of Node where it depends on that. */
interface Target {
  readonly what: string;
  readonly sense: Verdict['sense'];
  readonly unit: string;
  /** 0: every version. */
  readonly limits: Readonly<Partial<Record<0 | 20 | 26, number>>>;
  readonly figures: (results: Results, subject: Subject) => readonly number[] | undefined;
}

const TIMES: readonly { readonly time: MarginalTime; readonly name: string }[] = [
  { time: 'cpuUs', name: 'CPU' },
  { time: 'wallUs', name: 'wall' },
];

type Limits = readonly [cpu: number, wall: number];

/** CPU and wall as multiples of the peer's. */
const RATIOS: readonly { readonly work: FigureWork; readonly bins: number; readonly by: Record<20 | 26, Limits> }[] = [
  { work: 'intake', bins: 20, by: { 20: [2.1, 1.1], 26: [1.6, 0.8] } },
  { work: 'intake', bins: 250, by: { 20: [1.05, 0.55], 26: [0.85, 0.45] } },
  { work: 'pipeline', bins: 20, by: { 20: [0.8, 0.42], 26: [0.58, 0.3] } },
  { work: 'pipeline', bins: 250, by: { 20: [0.48, 0.25], 26: [0.36, 0.2] } },
];

const ratioTargets = RATIOS.flatMap(({ work, bins, by }) =>
  TIMES.map(({ time, name }, i): Target => ({
    what: `${work}, ${bins} bins: ${name}`,
    sense: 'at most',
    unit: '× the peer’s',
    // `i` is 0 or 1.
    limits: { 20: by[20][i]!, 26: by[26][i]! },
    figures: (results, subject) => peerRatiosOf(results, work, bins, subject, time),
  })),
);

const aggregateTargets = [
  { bins: 20, times: 50 },
  { bins: 250, times: 80 },
].flatMap(({ bins, times }) =>
  TIMES.map(({ time, name }): Target => ({
    what: `aggregate, ${bins} bins: ${name}`,
    sense: 'at least',
    unit: '× faster than the peer',
    limits: { 0: times },
    figures: (results, subject) => peerRatiosOf(results, 'aggregate', bins, subject, time)?.map((ratio) => 1 / ratio),
  })),
);

/** `createECDH().computeSecret` of Node 20 on the machine that the times below were promised for. */
const PROMISED_ECDH_US = 94;

/** As times, and as ratios, which are the same promise to machines of another speed. */
const beyondEcdhTargets = [
  { bins: 20, us: 15 },
  { bins: 250, us: 25 },
].flatMap(({ bins, us }): Target[] => {
  const target = { what: `intake without the ECDH call, ${bins} bins: CPU`, sense: 'at most' } as const;
  return [
    {
      ...target,
      unit: 'µs a packet',
      limits: { 20: us },
      figures: (results, subject) => intakePartsOf(results, bins, subject)?.map(({ restUs }) => restUs),
    },
    {
      ...target,
      unit: '× the call',
      limits: { 20: us / PROMISED_ECDH_US },
      figures: (results, subject) =>
        intakePartsOf(results, bins, subject)?.map(({ ecdhUs, restUs }) => restUs / ecdhUs),
    },
  ];
});

const AGGREGATE_US = 2;
const FIRST_LOG_LINE_MS = 250;
/** Two threads against one. */
const SCALING = 1.8;

const MB_IN_MIB = 2 ** 20 / 1e6;

interface Named {
  readonly what: string;
  readonly subject: Subject;
}

/** One of each name, in their order. */
const namesOf = <T extends Named>(all: readonly T[]): Map<string, T> => new Map(all.map((one) => [one.what, one]));

const isOf =
  (what: string, { name }: Subject) =>
  (found: Named): boolean =>
    found.what === what && found.subject.name === name;

/** Every promise about what was measured, with whether it is kept. */
export function verdictsOf(results: Results): Verdict[] {
  const targets: Target[] = [
    ...ratioTargets,
    ...binsOf(results).map((bins): Target => ({
      what: `aggregate, ${bins} bins: CPU`,
      sense: 'at most',
      unit: 'µs a packet',
      limits: { 0: AGGREGATE_US },
      figures: (results, subject) => marginalsOf(results, 'aggregate', bins, subject)?.map(({ cpuUs }) => cpuUs),
    })),
    ...aggregateTargets,
    ...beyondEcdhTargets,
    {
      what: 'intake: two threads against one',
      sense: 'at least',
      unit: '× as fast',
      limits: { 0: SCALING },
      figures: scalingOf,
    },
    ...[...namesOf(results.peaks)].map(([what, { limitMb }]): Target => ({
      what: `${what}: peak RSS`,
      sense: 'at most',
      unit: 'MB',
      limits: { 0: limitMb },
      figures: ({ peaks }, subject) => peaks.filter(isOf(what, subject)).map(({ peakMiB }) => peakMiB * MB_IN_MIB),
    })),
    ...[...namesOf(results.startUps)].map(([what]): Target => ({
      what: `first log line of ${what}`,
      sense: 'at most',
      unit: 'ms',
      limits: { 0: FIRST_LOG_LINE_MS },
      figures: ({ startUps }, subject) => startUps.find(isOf(what, subject))?.firstLogLineMs,
    })),
  ];
  const subjects = subjectsOf(results).filter(({ name }) => name !== PEER.name);
  return targets.flatMap((target) => subjects.flatMap((subject) => verdictOf(target, subject, results) ?? []));
}

function verdictOf({ limits, figures, ...target }: Target, subject: Subject, results: Results): Verdict | undefined {
  const major = Number.parseInt(subject.version ?? '', 10);
  const limit = limits[0] ?? (major === 20 || major === 26 ? limits[major] : undefined);
  const values = figures(results, subject);
  if (limit === undefined || !values || values.length === 0) return undefined;
  const found = spreadOf(values);
  const isMet = target.sense === 'at most' ? found.median <= limit : found.median >= limit;
  const outcome = found.least <= 0 ? 'unclear' : isMet ? 'kept' : 'missed';
  return { ...target, subject: subject.name, limit, found, outcome };
}

/** How many times as fast two threads are as one, a value a round; a figure of the subject that has two. */
function scalingOf({ scaling }: Results, { version, threads }: Subject): readonly number[] | undefined {
  if (threads !== 2) return undefined;
  const [one, two] = [1, 2].map(
    (count) => scaling.find(({ subject }) => subject.version === version && subject.threads === count)?.marginals,
  );
  return one && two ? ratiosOf(one, two, 'wallUs') : undefined;
}
