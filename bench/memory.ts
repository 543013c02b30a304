import { stat } from 'node:fs/promises';
import type { ServerName } from '../deploy/local/places.ts';
import type { NodeSubject } from './packet-rounds.ts';
import type { PacketWorld, WorldSettings } from './packet-world.ts';
import type { Peak } from './results.ts';

/** Whose packets, of how many bins. */
export interface PacketKind {
  readonly bins: number;
  readonly server: ServerName;
}

export type WorldOf = (kind: PacketKind) => { readonly world: PacketWorld; readonly settings: WorldSettings };

/** Large packets, so that to take a large file in does not take long. */
const LARGE: PacketKind = { bins: 250, server: 'pha' };
const LARGE_FILE_BYTES = 400e6;
const INTAKE_LIMIT_MB = 300;

/** Small packets, as aggregation does not read them. */
const SMALL: PacketKind = { bins: 20, server: 'facilitator' };
const MANY_PACKETS = 5_000_000;
const AGGREGATE_LIMIT_MB = 400;

/**
 * Finds the peak memory of the intake of a large file, and of the aggregation of many packets.
 * @param packets for a trial: so many in either batch
 */
export async function measureMemory(
  worldOf: WorldOf,
  subjects: readonly NodeSubject[],
  packets: number | undefined,
): Promise<Peak[]> {
  return [
    ...(await peaksOfIntake(worldOf(LARGE), subjects, packets)),
    ...(await peaksOfAggregation(worldOf(SMALL), subjects, packets ?? MANY_PACKETS)),
  ];
}

async function peaksOfIntake(
  { world, settings }: ReturnType<WorldOf>,
  subjects: readonly NodeSubject[],
  packets: number | undefined,
): Promise<Peak[]> {
  const placed = await world.ingested(packets ?? world.packetsFor(LARGE_FILE_BYTES));
  const what = `intake of a packet file of ${Math.floor((await stat(placed.packetFile)).size / 1e6)} MB`;
  const peaks: Peak[] = [];
  for (const subject of subjects) {
    const { used } = await world.intake(placed, subject.node, { threads: subject.threads });
    peaks.push({ what, subject, peakMiB: used.peakMiB, limitMb: INTAKE_LIMIT_MB });
    settings.bench.tell(`memory: ${what}, ${subject.name}: ${used.peakMiB.toFixed(0)} MiB`);
  }
  await world.dispose();
  return peaks;
}

async function peaksOfAggregation(
  { world, settings }: ReturnType<WorldOf>,
  subjects: readonly NodeSubject[],
  packets: number,
): Promise<Peak[]> {
  const placed = await world.takenIn(packets);
  const what = `aggregation of ${packets.toLocaleString('en-US')} packets`;
  const peaks: Peak[] = [];
  for (const subject of subjects) {
    const { used } = await world.aggregate(placed, subject.node, subject.threads);
    peaks.push({ what, subject, peakMiB: used.peakMiB, limitMb: AGGREGATE_LIMIT_MB });
    settings.bench.tell(`memory: ${what}, ${subject.name}: ${used.peakMiB.toFixed(0)} MiB`);
  }
  await world.dispose();
  return peaks;
}
