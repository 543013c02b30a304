import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sumPartKeys } from '../../common/domain/batch-path.ts';
import { ingestionHeader, invalidPacket, validationPacket } from '../../facilitator/codec/record-types.ts';
import { encodeFile } from '../../facilitator/codec/write.ts';
import { CASES, readCase } from '../support/cases.ts';
import { FACILITATOR, run, start } from '../support/child-process.ts';
import { logLines } from '../support/log-lines.ts';
import { runFacilitator } from '../support/run-facilitator.ts';
import { temporaryDirectory } from '../support/temp-directory.ts';
import { file as avroFile, join, value } from './codec/avro-bytes.ts';

const root = temporaryDirectory();

interface Shown {
  readonly file: string;
  readonly record: string | null;
  readonly codec: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly records: readonly Readonly<Record<string, unknown>>[];
  readonly error?: string;
}

/** The objects on an output, one a file; an object may have many lines. */
function shownIn(stdout: string): Shown[] {
  return stdout
    .split(/\n(?=\{"file")/)
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Shown);
}

async function inspect(...files: string[]): Promise<{ status: number; shown: Shown[]; stderr: string }> {
  const { status, stdout, stderr } = await runFacilitator(['inspect', ...files]);
  return { status, shown: shownIn(stdout), stderr };
}

const ORDINARY = readCase('ordinary');
const [batch] = ORDINARY.batches;
const place = `${CASES}/ordinary/facilitator`;
const object = `${ORDINARY.aggregation_id}/${batch!.time}/${batch!.id}`;
const ingestion = `${place}/ingestion/${object}.batch`;
const validation = `${place}/to-peer-validation/${object}.validity_1`;
const sums = sumPartKeys(
  'ref',
  ORDINARY.aggregation_id,
  { begin: new Date('2026-11-20T09:00Z'), end: new Date('2026-11-20T12:00Z') },
  1,
);
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

const UUID = expect.stringMatching(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const BASE64 = expect.stringMatching(/^[A-Za-z0-9+/]{64,}={0,2}$/);
const NUMBER = expect.any(Number);

describe('inspect of what the reference wrote', () => {
  const header = {
    batch_uuid: batch!.id,
    name: ORDINARY.aggregation_id,
    bins: NUMBER,
    epsilon: NUMBER,
    prime: 4293918721,
    number_of_servers: 2,
    hamming_weight: null,
  };
  const { sum_part } = ORDINARY.reference_result.aggregate.facilitator;

  it.each([
    [
      ingestion,
      'PrioIngestionHeader',
      {
        ...header,
        batch_start_time: NUMBER,
        batch_end_time: NUMBER,
        packet_file_digest: sha256(`${ingestion}.avro`),
      },
    ],
    [
      `${ingestion}.avro`,
      'PrioDataSharePacket',
      {
        uuid: UUID,
        encrypted_payload: BASE64,
        encryption_key_id: null,
        r_pit: NUMBER,
        version_configuration: 'config-1',
        device_nonce: null,
      },
    ],
    [
      `${ingestion}.sig`,
      'PrioBatchSignature',
      { batch_header_signature: BASE64, key_identifier: 'ingestor-key-1', batch_header: null, packets: null },
    ],
    [validation, 'PrioValidityHeader', { ...header, packet_file_digest: sha256(`${validation}.avro`) }],
    [`${validation}.avro`, 'PrioValidityPacket', { uuid: UUID, f_r: NUMBER, g_r: NUMBER, h_r: NUMBER }],
    [
      `${place}/sum-parts/${sums.header}`,
      'PrioSumPart',
      {
        ...sum_part,
        aggregation_start_time: Date.UTC(2026, 10, 20, 9),
        aggregation_end_time: Date.UTC(2026, 10, 20, 12),
        packet_file_digest: sha256(`${place}/sum-parts/${sums.packets}`),
      },
    ],
  ])('%s shows %s', async (path, record, expected) => {
    const { status, shown, stderr } = await inspect(path);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(shown).toMatchObject([{ file: path, record, codec: 'null', metadata: {} }]);
    expect(shown[0]!.records.length).toBeGreaterThan(0);
    for (const one of shown[0]!.records) expect(one).toEqual(expected);
  });

  it('shows the UUIDs of invalid packets', async () => {
    const recorded = readCase('invalid-proof');
    const name = `ref/${recorded.aggregation_id}/202611200900-202611201200.invalid_uuid_1.avro`;
    const { shown } = await inspect(`${CASES}/invalid-proof/facilitator/sum-parts/${name}`);
    const records = recorded.reference_result.aggregate.facilitator.invalid_uuids!.map((uuid) => ({ uuid }));
    expect(shown).toMatchObject([{ record: 'PrioInvalidPacket', records }]);
    expect(records).not.toEqual([]);
  });

  it('shows a batch in one object as what it is', async () => {
    const recorded = readCase('single-object-ingestion');
    const { id, time } = recorded.batches[0]!;
    const path = `${CASES}/single-object-ingestion/pha/ingestion/${recorded.aggregation_id}/${time}/${id}.batch.sig`;
    const { shown } = await inspect(path);
    const [signature] = shown[0]!.records as unknown as [{ batch_header: Shown; packets: Shown }];
    expect(signature.batch_header).toEqual({
      record: 'PrioIngestionHeader',
      codec: 'null',
      metadata: {},
      records: [expect.objectContaining({ batch_uuid: id })],
    });
    expect(signature.packets).toMatchObject({ record: 'PrioDataSharePacket', codec: 'null' });
    expect(signature.packets.records[0]).toMatchObject({ uuid: UUID, encrypted_payload: BASE64 });
  });

  it('shows compressed files', async () => {
    const recorded = readCase('deflate');
    const { id, time } = recorded.batches[0]!;
    const path = `${CASES}/deflate/pha/ingestion/${recorded.aggregation_id}/${time}/${id}.batch.avro`;
    const { shown } = await inspect(path);
    expect(shown).toMatchObject([{ record: 'PrioDataSharePacket', codec: 'deflate' }]);
    expect(shown[0]!.records[0]).toMatchObject({ uuid: UUID });
  });
});

describe('inspect', () => {
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(`${root()}/${name}`, bytes);
    return `${root()}/${name}`;
  };
  const uuid = '52bb1827-7fa3-4aad-83c0-337c4e225b9c';
  const messages = Array.from({ length: 2500 }, (_, i) => ({ uuid, f_r: i, g_r: 2, h_r: 3 }));

  it('shows an empty file as no records of a type that nobody can tell', async () => {
    const path = write('empty.avro', new Uint8Array());
    const shown = [{ file: path, record: null, codec: null, metadata: {}, records: [] }];
    expect(await inspect(path)).toEqual({ status: 0, shown, stderr: '' });
  });

  it('shows metadata of ours, and numbers that JSON has no form for', async () => {
    const header = { batch_uuid: uuid, name: 'a', bins: 1, number_of_servers: 2, hamming_weight: null };
    const record = {
      ...header,
      epsilon: Infinity,
      prime: 2n ** 62n,
      batch_start_time: 1,
      batch_end_time: -(2n ** 62n),
      packet_file_digest: Buffer.of(1, 255),
    };
    const { shown } = await inspect(write('h', encodeFile(ingestionHeader, [record], 'h', { file: 'mine' })));
    expect(shown).toMatchObject([{ metadata: { file: 'mine' } }]);
    expect(shown[0]!.records).toEqual([
      {
        ...record,
        epsilon: 'Infinity',
        prime: String(2n ** 62n),
        batch_end_time: String(-(2n ** 62n)),
        packet_file_digest: '01ff',
      },
    ]);
  });

  it('goes on after files that it cannot show, and ends with 1', async () => {
    const good = write('good.avro', encodeFile(validationPacket, messages.slice(0, 2), 'good'));
    const text = write('notes.txt', Buffer.from('not Avro at all'));
    const other = write('other.avro', avroFile({ type: 'record', name: 'Tree', fields: [] }, []));
    const { status, shown, stderr } = await inspect(good, `${root()}/missing`, text, root(), other, good);
    expect(status).toBe(1);
    expect(shown.map(({ file, records }) => [file, records.length])).toEqual([
      [good, 2],
      [good, 2],
    ]);
    expect(logLines(stderr)).toMatchObject([
      { file: `${root()}/missing`, error_code: 'E_INSPECTION', error: expect.stringContaining('ENOENT') },
      { file: text, error_code: 'E_AVRO_MALFORMED', error: expect.stringContaining('not an Avro') },
      { file: root(), error_code: 'E_INSPECTION', error: expect.stringContaining('EISDIR') },
      { file: other, error_code: 'E_AVRO_SCHEMA', error: expect.stringContaining('"Tree"') },
      { error_code: 'E_INSPECTION', error: '4 of 6 files cannot be inspected', message: 'inspect failed' },
    ]);
  });

  it('shows a corrupt file as far as it can be read, says what is wrong, and leaves JSON behind', async () => {
    const whole = encodeFile(validationPacket, messages, 'packets');
    const cut = write('cut.avro', whole.subarray(0, whole.length - 100));
    const bad = write('bad.avro', avroFile(invalidPacket.schemaText, [{ count: 1, data: value('no UUID') }]));
    const data = deflateRawSync(join(value(uuid), value(uuid))).subarray(0, -4);
    const block = write('block.avro', avroFile(invalidPacket.schemaText, [{ count: 2, data }], 'deflate'));
    const good = write('good.avro', encodeFile(validationPacket, messages.slice(0, 1), 'good'));
    const { status, shown, stderr } = await inspect(cut, bad, block, good);
    expect(status).toBe(1);
    expect(shown.map(({ file }) => file)).toEqual([cut, bad, block, good]);
    expect(shown[0]!.records.length).toBeGreaterThan(2000);
    expect(shown[0]!.records).toEqual(messages.slice(0, shown[0]!.records.length));
    const errors = logLines(stderr).map((line) => line['error']);
    expect(shown.map(({ error }) => error)).toEqual([...errors.slice(0, 3), undefined]);
    expect(errors).toEqual([
      expect.stringContaining('at byte'),
      expect.stringContaining('UUID'),
      expect.stringContaining('no deflate data'),
      '3 of 4 files cannot be inspected',
    ]);
  });

  it('shows files of many records whole', async () => {
    const { shown } = await inspect(write('many.avro', encodeFile(validationPacket, messages, 'many')));
    expect(shown[0]!.records).toEqual(messages);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const path = write('many.avro', encodeFile(validationPacket, messages, 'many'));
    const { child, ended } = start(FACILITATOR, ['inspect', ...Array.from({ length: 20 }, () => path)]);
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect(await ended).toMatchObject({ status: 0, signal: null, stderr: '' });
  });

  it('shows the same as a process', async () => {
    const expected = await runFacilitator(['inspect', ingestion, `${ingestion}.avro`]);
    expect(await run(FACILITATOR, ['inspect', ingestion, `${ingestion}.avro`])).toMatchObject(expected);
  });
});
