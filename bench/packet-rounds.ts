import { availableParallelism } from 'node:os';
import { ecdhFloorUs } from './floor.ts';
import type { Node, Used } from './node-program.ts';
import { sizeOf, type PacketWorld, type PlacedBatch, type WorldSettings } from './packet-world.ts';
import { runPeer, type Peer } from './peer.ts';
import { PEER, type Floor, type Series, type Subject } from './results.ts';
import { sizesOf, type PacketWork, type Side } from './sizes.ts';
import { marginalOf, type Round } from './statistics.ts';

/** A node, and how our programs run in it. */
export interface NodeSubject extends Subject {
  readonly node: Node;
}

export interface RoundsSettings {
  readonly works: readonly PacketWork[];
  readonly runs: number;
  /** See `sizesOf`. */
  readonly packets: number | undefined;
  readonly subjects: readonly NodeSubject[];
  readonly peer: Peer | undefined;
}

/** Runs `work` once on a batch. */
type Run = (placed: PlacedBatch) => Promise<Used>;

/** One that is measured, and how it does each kind of work. */
interface Contestant {
  readonly subject: Subject;
  readonly side: Side;
  readonly run: Readonly<Record<PacketWork, Run>>;
}

/**
 * Measures intake and aggregation of batches of one number of bins, all subjects in turn in each round, so that whatever
 * else the machine does is shared by all.
 */
export async function measureRounds(
  world: PacketWorld,
  { bins, server, keys, bench }: WorldSettings,
  { works, runs, packets, subjects, peer }: RoundsSettings,
): Promise<{ readonly series: Series[]; readonly floors: Floor[] }> {
  const peerRun = async (command: PacketWork, placed: PlacedBatch, validationFile: string): Promise<Used> => {
    const { packetFile } = placed;
    const run = { command, bins, server, key: keys.packet[server], packetFile, validationFile };
    // Only called where there is a peer.
    return (await runPeer(peer!, run, bench)).used;
  };
  const contestants: Contestant[] = [
    ...subjects.map((subject): Contestant => ({
      subject,
      side: 'ours',
      run: {
        intake: async (placed) => (await world.intake(placed, subject.node, { threads: subject.threads })).used,
        aggregate: async (placed) => (await world.aggregate(placed, subject.node, subject.threads)).used,
      },
    })),
    ...(peer
      ? [
          {
            subject: PEER,
            side: 'peer' as const,
            run: {
              intake: async (placed: PlacedBatch) =>
                peerRun('intake', placed, await world.scratchFile('validation.avro')),
              aggregate: (placed: PlacedBatch) => peerRun('aggregate', placed, placed.peerValidationFile),
            },
          },
        ]
      : []),
  ];
  const rounds = new Map<string, Round[]>();
  const floors = new Map<Subject, number[]>();
  for (let i = 1; i <= runs; i++) {
    for (const subject of works.includes('intake') ? subjects : []) {
      const us = await ecdhFloorUs(subject.node, subject.threads ?? availableParallelism(), bench);
      floors.set(subject, [...(floors.get(subject) ?? []), us]);
    }
    for (const work of works) {
      for (const contestant of contestants) {
        const sizes = sizesOf(work, contestant.side, bins, packets);
        const placed = async (count: number): Promise<PlacedBatch> => {
          if (work === 'intake') return world.ingested(count);
          return contestant.side === 'ours' ? world.takenIn(count) : world.validated(count);
        };
        const round = {
          small: await sample(contestant.run[work], await placed(sizes.small)),
          large: await sample(contestant.run[work], await placed(sizes.large)),
        };
        const key = keyOf(work, contestant.subject);
        rounds.set(key, [...(rounds.get(key) ?? []), round]);
        const { cpuUs, wallUs } = marginalOf(round);
        bench.tell(
          `round ${i}: ${work}, ${bins} bins, ${contestant.subject.name}: CPU ${cpuUs.toFixed(1)} µs, wall ${wallUs.toFixed(1)} µs a packet`,
        );
      }
    }
  }
  const series = works.flatMap((work) =>
    contestants.map(({ subject }) => {
      const all = rounds.get(keyOf(work, subject)) ?? [];
      return { work, bins, subject, rounds: all, marginals: all.map(marginalOf) };
    }),
  );
  return { series, floors: [...floors].map(([subject, us]) => ({ bins, subject, us })) };
}

const keyOf = (work: PacketWork, subject: Subject): string => `${work} ${subject.name}`;

async function sample(run: Run, placed: PlacedBatch): Promise<Round['small']> {
  return { packets: sizeOf(placed), ...(await run(placed)) };
}

/**
 * Holds us and the peer to each other on one batch: the same messages for every packet, and the same sum.
 * @throws Error if they differ
 */
export async function checkAgainstPeer(
  world: PacketWorld,
  { bins, server, keys, bench, node }: WorldSettings,
  peer: Peer,
  packets: number,
  readMessages: (path: string) => Promise<readonly object[]>,
): Promise<void> {
  const placed = await world.takenIn(packets);
  const { packetFile } = placed;
  const validationFile = await world.scratchFile('validation.avro');
  const common = { bins, server, key: keys.packet[server], packetFile };
  await runPeer(peer, { ...common, command: 'intake', validationFile }, bench);
  const { told } = await world.intake(placed, node, { tells: true });
  if (JSON.stringify(told) !== JSON.stringify(await readMessages(validationFile))) {
    throw new Error(`the peer tells something else of ${packets} packets of ${bins} bins than we do`);
  }
  const { result } = await runPeer(
    peer,
    { ...common, command: 'aggregate', validationFile: placed.peerValidationFile },
    bench,
  );
  const { sum } = await world.aggregate(placed, node);
  if (result.counted !== packets || JSON.stringify(result.sum) !== JSON.stringify(sum)) {
    throw new Error(
      `the peer sums ${result.counted} of ${packets} packets of ${bins} bins, and not to what we sum them to`,
    );
  }
  bench.tell(`${bins} bins: the peer and we agree on all messages and the sum of ${packets} packets`);
}
