import { PEER, type Results, type Series, type Subject } from '../../bench/results.ts';
import type { PacketWork } from '../../bench/sizes.ts';
import { marginalOf, type Round } from '../../bench/statistics.ts';

export const NODE_20: Subject = { name: 'Node 20.20.2', version: '20.20.2' };
export const NODE_26: Subject = { name: 'Node 26.1.0', version: '26.1.0' };

/** Rounds of 1000 and 2000 packets at these costs, microseconds of CPU, of wall and of CPU for ECDH if that is told. */
export function seriesOf(
  work: PacketWork,
  bins: number,
  subject: Subject,
  costs: readonly (readonly [cpuUs: number, wallUs: number, ecdhUs?: number])[],
): Series {
  const rounds = costs.map(([cpuUs, wallUs, ecdhUs]): Round => {
    const at = (packets: number): Round['small'] => ({
      packets,
      cpuMs: 100 + (packets * cpuUs) / 1000,
      ecdhMs: ecdhUs === undefined ? undefined : 3 + (packets * ecdhUs) / 1000,
      wallMs: 200 + (packets * wallUs) / 1000,
      peakMiB: packets / 10,
    });
    return { small: at(1000), large: at(2000) };
  });
  return { work, bins, subject, rounds, marginals: rounds.map(marginalOf) };
}

/** Nothing measured but what is given. */
export function resultsOf(changes: Partial<Results> = {}): Results {
  return {
    machine: { processor: 'a processor', cores: 2, memoryGiB: 8, system: 'Linux x64' },
    versions: { ours: '0.1.0', nodes: [{ version: '20.20.2', openssl: '3.0.19' }] },
    server: 'facilitator',
    series: [],
    floors: [],
    scaling: [],
    peaks: [],
    startUps: [],
    publisher: [],
    ...changes,
  };
}

/** Three rounds of intake and aggregation at 20 bins, by us and the peer. */
export const ORDINARY_SERIES: readonly Series[] = [
  seriesOf('intake', 20, NODE_20, [
    [100, 50, 80],
    [110, 55, 90],
    [90, 45, 82],
  ]),
  seriesOf('aggregate', 20, NODE_20, [
    [1, 2],
    [1, 2],
    [1, 2],
  ]),
  seriesOf('intake', 20, PEER, [
    [50, 50],
    [50, 50],
    [50, 50],
  ]),
  seriesOf('aggregate', 20, PEER, [
    [100, 100],
    [100, 100],
    [100, 100],
  ]),
];
