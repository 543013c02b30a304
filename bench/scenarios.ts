import { join } from 'node:path';
import type { RandomBytes } from '../facilitator/prio/client.ts';
import { generateKeys } from '../deploy/local/deployment-keys.ts';
import type { ServerName } from '../deploy/local/places.ts';
import { readValidationFile } from './batch-files.ts';
import { opensslFloorUs } from './floor.ts';
import { thisMachine } from './machine.ts';
import { measureMemory, type WorldOf } from './memory.ts';
import { nodeAt, type Node } from './node-program.ts';
import { checkAgainstPeer, measureRounds, type NodeSubject } from './packet-rounds.ts';
import { PacketWorld } from './packet-world.ts';
import { buildPeer } from './peer.ts';
import type { Bench } from './process.ts';
import { measurePublisher } from './publisher.ts';
import type { Floor, Results, Series, StartUp } from './results.ts';
import { PACKET_WORK, sizesOf } from './sizes.ts';
import { measureStartUp } from './start-up.ts';

export const SCENARIOS = ['intake', 'aggregate', 'pipeline', 'scaling', 'memory', 'publisher', 'start-up'] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** Bins of the scenarios for which the number hardly matters. */
const ORDINARY_BINS = 20;
/** Most packets of the batch that we and the peer have to agree on. */
const CHECKED_PACKETS = 1000;

export interface BenchSettings {
  readonly scenarios: readonly Scenario[];
  /** Of the packets, for intake, aggregation and pipeline. */
  readonly bins: readonly number[];
  /** See `sizesOf`. */
  readonly packets: number | undefined;
  readonly runs: number;
  /** Executables; the first is also what prepares. */
  readonly nodes: readonly [string, ...string[]];
  readonly threads: number | undefined;
  /** Whose work it is. */
  readonly server: ServerName;
  /** For everything that is written, on no disk if possible. */
  readonly directory: string;
  readonly random: RandomBytes;
  /** Ours. */
  readonly version: string;
  readonly bench: Bench;
}

/** Measures what is asked for, one scenario after the other. */
export async function runScenarios(settings: BenchSettings): Promise<Results> {
  const { scenarios, packets, runs, threads, server, bench } = settings;
  const asks = (scenario: Scenario): boolean => scenarios.includes(scenario);
  const works = PACKET_WORK.filter((work) => asks(work) || asks('pipeline'));
  const isAboutPackets = works.length > 0;

  const nodes: Node[] = [];
  for (const path of settings.nodes) nodes.push(await nodeAt(path, bench));
  const subjects = nodes.map((node) => subjectOf(node, threads));
  const peer = isAboutPackets ? await buildPeer(bench) : undefined;
  const openssl = isAboutPackets ? await opensslFloorUs(bench) : undefined;

  let worlds = 0;
  const worldOf: WorldOf = (kind) => {
    const { random } = settings;
    const directory = join(settings.directory, String(++worlds));
    // There is a node.
    const made = { ...kind, keys: generateKeys(), directory, random, node: nodes[0]!, bench };
    return { world: new PacketWorld(made), settings: made };
  };

  // First, since the others leave gigabytes of files for the kernel to free.
  let startUps: readonly StartUp[] = [];
  if (asks('start-up')) {
    const { world, settings } = worldOf({ bins: ORDINARY_BINS, server });
    startUps = await measureStartUp(world, settings, subjects, runs);
    await world.dispose();
  }

  const series: Series[] = [];
  const floors: Floor[] = [];
  let scaling: readonly Series[] = [];
  for (const bins of isAboutPackets ? settings.bins : []) {
    const { world, settings } = worldOf({ bins, server });
    if (peer) {
      const checked = Math.min(CHECKED_PACKETS, sizesOf('intake', 'peer', bins, packets).small);
      await checkAgainstPeer(world, settings, peer, checked, readValidationFile);
    }
    const found = await measureRounds(world, settings, { works, runs, packets, subjects, peer });
    series.push(...found.series);
    floors.push(...found.floors);
    await world.dispose();
  }
  if (asks('scaling')) {
    const { world, settings } = worldOf({ bins: ORDINARY_BINS, server });
    const threaded = nodes.flatMap((node) => [subjectOf(node, 1), subjectOf(node, 2)]);
    const rounds = { works: ['intake'] as const, runs, packets, subjects: threaded, peer: undefined };
    scaling = (await measureRounds(world, settings, rounds)).series;
    await world.dispose();
  }
  const peaks = asks('memory') ? await measureMemory(worldOf, subjects, packets) : [];
  const publisher = asks('publisher') ? await measurePublisher(bench) : [];
  return {
    machine: thisMachine(),
    versions: {
      ours: settings.version,
      nodes,
      ...(openssl ? { openssl: openssl.version } : {}),
      ...(peer ? { peer: peer.version } : {}),
    },
    server,
    series,
    floors,
    ...(openssl ? { opensslUs: openssl.us } : {}),
    scaling,
    peaks,
    startUps,
    publisher,
  };
}

function subjectOf(node: Node, threads: number | undefined): NodeSubject {
  const threadsText = threads === undefined ? '' : `, ${threads} thread${threads === 1 ? '' : 's'}`;
  return { name: `Node ${node.version}${threadsText}`, version: node.version, node, threads };
}
