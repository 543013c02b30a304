import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openStorage } from '../../../common/backends/storage/open.ts';
import { ingestionKeys, sumPartKeys } from '../../../common/domain/batch-path.ts';
import { parseBatchTime } from '../../../common/domain/batch-time.ts';
import { readBatch } from '../../../facilitator/batch/read-batch.ts';
import { readRecords, readSingleRecord } from '../../../facilitator/codec/read.ts';
import {
  dataSharePacket,
  ingestionHeader,
  invalidPacket,
  sumPart,
  type RecordType,
} from '../../../facilitator/codec/record-types.ts';
import type { DataSharePacket, IngestionHeader } from '../../../facilitator/codec/records.ts';
import { fixedKeys, soleKey } from '../../../facilitator/crypto/key-source.ts';
import { parseVerificationKey } from '../../../facilitator/crypto/keys.ts';
import { reconstruct } from '../../../facilitator/prio/sum.ts';
import { sampleData } from '../../../facilitator/sample/sample-data.ts';
import { keys, otherSide, SIDES, signingKeyOf, type Side } from '../../support/cases.ts';
import {
  aggregateOptions,
  commandLine,
  intakeOptions,
  sampleOptions,
  without,
  type CommandOptions,
} from '../../support/command-options.ts';
import { logLines, type LogLine } from '../../support/log-lines.ts';
import { runFacilitator } from '../../support/run-facilitator.ts';
import { filesIn, temporaryDirectory } from '../../support/temp-directory.ts';

const root = temporaryDirectory();

const BATCHES = [
  { id: '9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b', time: '2026/11/20/10/30', packets: 4 },
  { id: '00000000-0000-4000-8000-000000000000', time: '2026/11/20/11/59', packets: 7 },
];
const [BATCH] = BATCHES;
const START = new Date('2026-11-20T09:00:00Z');
const END = new Date('2026-11-20T12:00:00Z');

async function succeed(command: string, options: CommandOptions): Promise<LogLine> {
  const { status, stderr } = await runFacilitator(commandLine(command, options));
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return logLines(stderr).at(-1)!;
}

/** A server's own options, in directories of this test. */
function serverOptions(side: Side): CommandOptions {
  return {
    ...without(intakeOptions(root(), side), 'own-output'),
    'aggregation-id': 'sample',
    'ingestor-input': `${root()}/${side}`,
  };
}

async function takeIn(side: Side, { id, time }: (typeof BATCHES)[number]): Promise<void> {
  const outputs = { 'peer-output': `${root()}/to-${otherSide(side)}`, 'own-output': `${root()}/own-${side}` };
  await succeed('intake-batch', { ...serverOptions(side), 'batch-id': id, date: time, ...outputs });
}

async function aggregateBatches(side: Side): Promise<void> {
  const options = without(serverOptions(side), 'batch-id', 'date', 'peer-output');
  await succeed('aggregate', {
    ...aggregateOptions(root(), side),
    ...options,
    'batch-id': BATCHES.map(({ id }) => id),
    'batch-time': BATCHES.map(({ time }) => time),
    'peer-input': `${root()}/to-${side}`,
    'own-input': `${root()}/own-${side}`,
  });
}

/** A server's published sum, its signature checked. */
async function publishedSum(side: Side): Promise<{ sum: number[]; clients: number; batches: readonly string[] }> {
  const server = side === 'pha' ? 0 : 1;
  const source = {
    storage: openStorage(`${root()}/portal`),
    keys: sumPartKeys('ref', 'sample', { begin: START, end: END }, server),
    headerType: sumPart,
    packetType: invalidPacket,
  };
  const key = parseVerificationKey(signingKeyOf(side).spki, side);
  const { header, packetCount } = await readBatch(source, { keys: soleKey(key) });
  expect(packetCount).toBe(0);
  return {
    sum: header.sum.map(Number),
    clients: Number(header.total_individual_clients),
    batches: header.batch_uuids,
  };
}

const read = <T>(type: RecordType<T>, name: string): T[] => [...readRecords(type, readFileSync(`${root()}/${name}`))];

describe('generate-ingestion-sample', () => {
  it.each([1, 20, 256])('is taken in and summed by both servers to its plain sum, of %i bins', async (bins) => {
    for (const { id, time, packets } of BATCHES) {
      const of = { 'batch-id': id, date: time, 'packet-count': String(packets), dimension: String(bins) };
      await succeed('generate-ingestion-sample', { ...sampleOptions(root()), ...of });
    }
    for (const side of SIDES) for (const batch of BATCHES) await takeIn(side, batch);
    for (const side of SIDES) await aggregateBatches(side);

    const plain = Array.from({ length: bins }, () => 0);
    for (const { id, packets } of BATCHES) {
      for (let n = 0; n < packets; n++) sampleData(id, n, bins).forEach((bit, bin) => (plain[bin]! += bit));
    }
    const [pha, facilitator] = [await publishedSum('pha'), await publishedSum('facilitator')];
    expect([...reconstruct(pha.sum, facilitator.sum)]).toEqual(plain);
    for (const part of [pha, facilitator]) {
      expect(part).toMatchObject({ clients: 11, batches: BATCHES.map(({ id }) => id) });
    }
    // Neither sum part says anything by itself.
    expect(pha.sum).not.toEqual(plain);
  });

  it('writes three objects for each server, where an ingestion server would', async () => {
    await succeed('generate-ingestion-sample', sampleOptions(root()));
    const name = `sample/${BATCH!.time}/${BATCH!.id}.batch`;
    const objects = [name, `${name}.avro`, `${name}.sig`];
    expect(filesIn(root())).toEqual(SIDES.flatMap((side) => objects.map((object) => `${side}/${object}`)).sort());
  });

  it('signs both batches, with headers that say what was asked for', async () => {
    await succeed('generate-ingestion-sample', sampleOptions(root()));
    const batch = { id: BATCH!.id, time: parseBatchTime(BATCH!.time)! };
    for (const side of SIDES) {
      const storage = openStorage(`${root()}/${side}`);
      const types = { headerType: ingestionHeader, packetType: dataSharePacket };
      const key = parseVerificationKey(keys.ingestor.spki, 'ingestor');
      const trust = { keys: fixedKeys(new Map([['ingestor-key-1', key]])) };
      const { header } = await readBatch({ storage, keys: ingestionKeys('sample', batch), ...types }, trust);
      expect(header).toEqual({
        batch_uuid: BATCH!.id,
        name: 'sample',
        bins: 5,
        epsilon: 0.23,
        prime: 4293918721,
        number_of_servers: 2,
        hamming_weight: null,
        batch_start_time: 1795168800000,
        batch_end_time: 1795172400000,
        packet_file_digest: expect.any(Uint8Array),
      } satisfies IngestionHeader);
    }
  });

  it('gives both servers the same packets in different shares; only the PHA’s name a key', async () => {
    await succeed('generate-ingestion-sample', sampleOptions(root()));
    const name = `sample/${BATCH!.time}/${BATCH!.id}.batch.avro`;
    const [pha, facilitator] = SIDES.map((side) => read(dataSharePacket, `${side}/${name}`)) as [
      DataSharePacket[],
      DataSharePacket[],
    ];
    const common = { r_pit: 998314904, version_configuration: 'config-1', device_nonce: null };
    expect(pha).toHaveLength(3);
    expect(new Set(pha.map(({ uuid }) => uuid)).size).toBe(3);
    expect(facilitator.map(({ uuid }) => uuid)).toEqual(pha.map(({ uuid }) => uuid));
    for (const packet of pha) expect(packet).toMatchObject({ ...common, encryption_key_id: 'pha-fake-key-1' });
    for (const packet of facilitator) expect(packet).toMatchObject({ ...common, encryption_key_id: null });
  });

  it('chooses batch and time where they are not given, and tells them', async () => {
    const options = without(sampleOptions(root()), 'batch-id', 'date');
    const lines = [
      await succeed('generate-ingestion-sample', options),
      await succeed('generate-ingestion-sample', options),
    ];
    const ids = lines.map((line) => String(line['batch_id']));
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids[1]).not.toBe(ids[0]);
    // The clock of `runFacilitator`.
    expect(lines.map((line) => line['batch_time'])).toEqual(['2026/11/20/10/00', '2026/11/20/10/00']);
    for (const id of ids) {
      const file = readFileSync(`${root()}/pha/sample/2026/11/20/10/00/${id}.batch`);
      expect(readSingleRecord(ingestionHeader, file).record.batch_uuid).toBe(id);
    }
    expect(filesIn(root())).toHaveLength(12);
  });
});
