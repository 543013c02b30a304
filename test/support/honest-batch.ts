import type { BatchId, ServerIndex } from '../../common/domain/batch-path.ts';
import { formatUuidV4 } from '../../common/domain/uuid.ts';
import type { DataSharePacket } from '../../facilitator/codec/records.ts';
import { intakeBatch } from '../../facilitator/intake.ts';
import { storeIngestionBatch } from './batches.ts';
import { contribute, type Behaviour, type Contribution } from './contribution.ts';
import { seededRandom } from './prio.ts';
import { AGGREGATION, intakeSetup, packetKeys, WINDOW, type World } from './servers.ts';

export const BINS = 10;

/** A batch of the window, told apart by `n`. */
export function batchId(n: number): BatchId {
  return { id: formatUuidV4(seededRandom(`batch ${n}`)(16)), time: new Date(WINDOW.begin.getTime() + n * 60_000) };
}

export function contributions(n: number, behaviours: readonly Behaviour[]): Contribution[] {
  return behaviours.map((behaviour, i) => contribute(behaviour, BINS, `${n} ${i}`, packetKeys));
}

export const packetUuid = (n: number, i: number): string => formatUuidV4(seededRandom(`packet ${n} ${i}`)(16));

export function packetsFor(server: ServerIndex, n: number, made: readonly Contribution[]): DataSharePacket[] {
  return made.map(({ payloads, rPits }, i) => ({
    uuid: packetUuid(n, i),
    encrypted_payload: payloads[server],
    encryption_key_id: null,
    r_pit: rPits[server],
    version_configuration: null,
    device_nonce: null,
  }));
}

export const honest = (count: number): Behaviour[] => Array.from({ length: count }, () => 'honest');

export const sumOf = (made: readonly Contribution[]): number[] =>
  Array.from({ length: BINS }, (_, k) => made.reduce((total, { data }) => total + data[k]!, 0));

/** Stores one batch at both servers and returns what is in it. */
export async function ingest(world: World, n: number, behaviours: readonly Behaviour[]): Promise<Contribution[]> {
  const made = contributions(n, behaviours);
  for (const server of [0, 1] as const) {
    await storeIngestionBatch(world, server, batchId(n), BINS, packetsFor(server, n, made));
  }
  return made;
}

/** Both servers take batch `n` in. */
export async function takeInAtBoth(world: World, n: number): Promise<void> {
  for (const server of [0, 1] as const) {
    await intakeBatch({ aggregationId: AGGREGATION, batch: batchId(n) }, intakeSetup(world, server));
  }
}
