import type { Results, Series, Subject } from './results.ts';
import { PEER } from './results.ts';
import type { PacketWork } from './sizes.ts';
import { ratiosOf, sumOf, type Marginal, type MarginalTime } from './statistics.ts';

/** Kinds of work as tables list them; `pipeline` is intake and then aggregation of the same packets. */
export const FIGURE_WORK = ['intake', 'aggregate', 'pipeline'] as const;
export type FigureWork = PacketWork | 'pipeline';

const isOf = (subject: Subject, bins: number) => (found: Series) =>
  found.bins === bins && found.subject.name === subject.name;

/** The cost of each further packet, a value a round; `undefined` where that was not measured. */
export function marginalsOf(
  { series }: Results,
  work: FigureWork,
  bins: number,
  subject: Subject,
): readonly Marginal[] | undefined {
  const of = (one: PacketWork): readonly Marginal[] | undefined =>
    series.filter((found) => found.work === one).find(isOf(subject, bins))?.marginals;
  if (work !== 'pipeline') return of(work);
  const [intake, aggregate] = [of('intake'), of('aggregate')];
  return intake && aggregate ? sumOf(intake, aggregate) : undefined;
}

/** The cost as multiples of the peer's, a value a round. */
export function peerRatiosOf(
  results: Results,
  work: FigureWork,
  bins: number,
  subject: Subject,
  time: MarginalTime,
): readonly number[] | undefined {
  const ours = marginalsOf(results, work, bins, subject);
  const peers = marginalsOf(results, work, bins, PEER);
  return ours && peers ? ratiosOf(ours, peers, time) : undefined;
}

/** Microseconds of processor time for each further packet, a value a round. */
export interface IntakeParts {
  /** The ECDH calls, where they are made. */
  readonly ecdhUs: number;
  readonly restUs: number;
}

/** What a packet's intake is made of, a value a round; `undefined` where that was not told. */
export function intakePartsOf(results: Results, bins: number, subject: Subject): readonly IntakeParts[] | undefined {
  const parts = marginalsOf(results, 'intake', bins, subject)?.flatMap(({ cpuUs, ecdhUs }) =>
    ecdhUs === undefined ? [] : [{ ecdhUs, restUs: cpuUs - ecdhUs }],
  );
  return parts && parts.length > 0 ? parts : undefined;
}

/** Numbers of bins that were measured, ascending. */
export function binsOf({ series }: Results): number[] {
  return [...new Set(series.map(({ bins }) => bins))].sort((a, b) => a - b);
}

/** Who was measured, in the order of measurement. */
export function subjectsOf({ series, scaling, peaks, startUps }: Results): Subject[] {
  const all = [...series, ...scaling, ...peaks, ...startUps].map(({ subject }) => subject);
  return [...new Map(all.map((subject) => [subject.name, subject])).values()];
}
