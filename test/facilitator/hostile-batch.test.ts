import { readdirSync } from 'node:fs';
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { formatBatchTime } from '../../common/domain/batch-time.ts';
import { dataSharePacket, ingestionHeader, invalidPacket } from '../../facilitator/codec/record-types.ts';
import { encodeFile } from '../../facilitator/codec/write.ts';
import { FACILITATOR, run, type Ended } from '../support/child-process.ts';
import { commandLine } from '../support/command-options.ts';
import { batchId, contributions, honest, packetsFor } from '../support/honest-batch.ts';
import { linesAfterStart } from '../support/log-lines.ts';
import { seededRandom } from '../support/prio.ts';
import { encodeSignatures, writeRawBatch, type RawBatch } from '../support/raw-batch.ts';
import { AGGREGATION, ingestorKey, packetKeys, serverKeys } from '../support/servers.ts';
import { inTemporaryDirectory } from '../support/temp-directory.ts';
import { file, join, long, value } from './codec/avro-bytes.ts';

/*
 * Whole batches of somebody who holds the ingestion server's key, against a whole process: it must refuse them by name,
 * write nothing, and need no more memory than the file itself and an inflated block.
 */

const MIB = 1024 * 1024;
/** What one block may inflate to. */
const BLOCK_MIB = 64;
/**
 * What garbage and the allocator may add. Measured are 25 MiB with packets that are read, and less than 5 with files
 * that are refused before; the rest is for other machines.
 */
const SLACK_MIB = 48;
const PRELOAD = new URL('../support/peak-memory.mjs', import.meta.url).href;
/** Far below what the hostile files ask for: who builds their records on the heap dies. */
const HEAP_MIB = 48;

const batch = batchId(0);
const packets = packetsFor(0, 0, contributions(0, honest(3)));
const honestFile = encodeFile(dataSharePacket, packets, 'packets');

/** Writes a batch and takes it in, as the PHA, all in one directory. */
async function intake(raw: RawBatch, directory: string): Promise<Ended & { peakMiB: number }> {
  writeRawBatch(`${directory}/ingestion`, batch, { packetFile: honestFile, ...raw });
  const [{ scalar, point }] = packetKeys[0];
  const options = {
    'aggregation-id': AGGREGATION,
    'is-first': 'true',
    'batch-id': batch.id,
    date: formatBatchTime(batch.time),
    'batch-signing-private-key': serverKeys[0].privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    'batch-signing-private-key-identifier': 'pha-key',
    'packet-decryption-keys': Buffer.concat([point, scalar]).toString('base64'),
    'ingestor-input': `${directory}/ingestion`,
    'ingestor-public-key': ingestorKey.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    'ingestor-public-key-identifier': ingestorKey.identifier,
    'peer-output': `${directory}/peer`,
    'own-output': `${directory}/own`,
  };
  const node = [`--max-old-space-size=${HEAP_MIB}`, '--import', PRELOAD];
  const ended = await run(FACILITATOR, commandLine('intake-batch', options), { node });
  return { ...ended, peakMiB: Number(ended.third) / 1024 };
}

let baseline: Promise<number> | undefined;

/** The peak memory of an intake of an honest batch. */
function baselineMiB(): Promise<number> {
  baseline ??= inTemporaryDirectory(async (root) => {
    const { status, peakMiB } = await intake({}, root);
    expect(status).toBe(0);
    return peakMiB;
  });
  return baseline;
}

/** @param moreMiB by how much the peak memory may exceed that of an honest batch */
async function expectRefusal(raw: RawBatch, code: string, moreMiB: number): Promise<void> {
  const usual = await baselineMiB();
  await inTemporaryDirectory(async (root) => {
    const { status, stdout, stderr, peakMiB } = await intake(raw, root);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(linesAfterStart(stderr)).toMatchObject([{ severity: 'ERROR', error_code: code, fate: 'reject' }]);
    // Not even the directories of the outputs are made.
    expect(readdirSync(root)).toEqual(['ingestion']);
    expect(peakMiB).toBeLessThan(usual + moreMiB);
  });
}

const SCHEMA = dataSharePacket.schemaText;

/** One packet with a payload of this size that is nobody's. */
const packet = (payloadBytes: number): Buffer =>
  join(value(packets[0]!.uuid), value(Buffer.alloc(payloadBytes, 4)), long(0), long(1), long(0), long(0));

/** Whole packets of exactly this size together. */
function packetsOf(bytes: number): { count: number; data: Buffer } {
  const each = packet(MIB);
  const count = Math.ceil(bytes / each.length);
  const rest = bytes - (count - 1) * each.length;
  let payloadBytes = rest - 60;
  while (packet(payloadBytes).length < rest) payloadBytes++;
  const data = join(...Array.from({ length: count - 1 }, () => each), packet(payloadBytes));
  expect(data).toHaveLength(bytes);
  return { count, data };
}

/** Raw deflate of that many zeros, without making them: after a full flush the same bytes mean the same again. */
function zeros(mebibytes: number, bytesMore = 0): Buffer {
  const one = deflateRawSync(Buffer.alloc(MIB), { finishFlush: constants.Z_FULL_FLUSH });
  return join(...Array.from({ length: mebibytes }, () => one), deflateRawSync(Buffer.alloc(bytesMore)));
}

const bomb = file(SCHEMA, [{ count: 1, data: zeros(1024) }], 'deflate');
const oneTooMany = zeros(BLOCK_MIB, 1);
const random = (label: string, length: number): Uint8Array => seededRandom(label)(length);

// One process does not wait for another: most of the time of each is node's own start.
describe.concurrent('intake-batch, as a process,', () => {
  it.each([false, true])(
    'takes an honest batch in; what follows is refused for its own sake (one object: %s)',
    (singleObject) =>
      inTemporaryDirectory(async (root) => {
        expect(await intake({ singleObject }, root)).toMatchObject({ status: 0 });
      }),
  );

  it.each<[string, string, () => RawBatch]>([
    ['a block that inflates to 1 GiB', 'E_AVRO_LIMIT', () => ({ packetFile: bomb })],
    ['such a block within the signature', 'E_AVRO_LIMIT', () => ({ packetFile: bomb, singleObject: true })],
    [
      'a block that inflates to one byte more than 64 MiB',
      'E_AVRO_LIMIT',
      () => ({ packetFile: file(SCHEMA, [{ count: 1, data: oneTooMany }], 'deflate') }),
    ],
    [
      '2^40 packets by its own account',
      'E_AVRO_MALFORMED',
      () => ({ packetFile: file(SCHEMA, [{ count: 2 ** 40, data: packet(100) }]) }),
    ],
    [
      'a payload of 400 MiB by its own account',
      'E_AVRO_MALFORMED',
      () => ({
        packetFile: file(SCHEMA, [
          { count: 1, data: join(value(packets[0]!.uuid), long(400 * MIB), Buffer.alloc(99)) },
        ]),
      }),
    ],
    [
      '2^40 packets by its own account, compressed',
      'E_AVRO_MALFORMED',
      () => ({ packetFile: file(SCHEMA, [{ count: 2 ** 40, data: deflateRawSync(packet(100)) }], 'deflate') }),
    ],
    [
      'a payload of 2^40 bytes by its own account',
      'E_AVRO_LIMIT',
      () => ({ packetFile: file(SCHEMA, [{ count: 1, data: join(value(packets[0]!.uuid), long(2 ** 40)) }]) }),
    ],
    ['random bytes', 'E_AVRO_MALFORMED', () => ({ packetFile: random('packets', 10_000) })],
    [
      'random bytes behind an honest beginning',
      'E_AVRO_MALFORMED',
      () => ({ packetFile: join(honestFile.subarray(0, -40), random('tail', 5000)) }),
    ],
    [
      'records of another kind',
      'E_AVRO_SCHEMA',
      () => ({ packetFile: encodeFile(invalidPacket, [{ uuid: packets[0]!.uuid }], 'packets') }),
    ],
    ['no packets', 'E_BATCH_EMPTY', () => ({ packetFile: Buffer.alloc(0) })],
    ['2^31 - 1 bins', 'E_BINS', () => ({ bins: 2 ** 31 - 1 })],
    ['-2^31 bins', 'E_BINS', () => ({ bins: -(2 ** 31) })],
    ['the most bins there may be', 'E_PACKET_MALFORMED', () => ({ bins: 524_287 })],
    [
      'a signature file cut short',
      'E_AVRO_MALFORMED',
      () => ({ signatureFile: (record) => encodeSignatures([record]).subarray(0, -20) }),
    ],
    ['an empty signature file', 'E_AVRO_MALFORMED', () => ({ signatureFile: () => Buffer.alloc(0) })],
    [
      'a signature file of two records',
      'E_AVRO_EXTRA_RECORD',
      () => ({ signatureFile: (record) => encodeSignatures([record, record]) }),
    ],
    ['a random signature file', 'E_AVRO_MALFORMED', () => ({ signatureFile: () => random('signature file', 300) })],
    ['a random signature', 'E_SIGNATURE_INVALID', () => ({ signature: () => random('signature', 70) })],
    [
      'a signature of broken DER',
      'E_SIGNATURE_INVALID',
      () => ({ signature: () => Buffer.from('3080020100ffff', 'hex') }),
    ],
    ['no signature in its file', 'E_SIGNATURE_INVALID', () => ({ signature: () => Buffer.alloc(0) })],
    [
      'a header of two records',
      'E_AVRO_EXTRA_RECORD',
      () => ({ headerFile: (header) => encodeFile(ingestionHeader, [header, header], 'header') }),
    ],
    ['a header of no records', 'E_AVRO_NO_RECORD', () => ({ headerFile: () => file(ingestionHeader.schemaText, []) })],
    ['an empty header', 'E_AVRO_MALFORMED', () => ({ headerFile: () => Buffer.alloc(0) })],
    ['a random header', 'E_AVRO_MALFORMED', () => ({ headerFile: () => random('header', 500) })],
    [
      'a header of the packets’ kind',
      'E_AVRO_SCHEMA',
      () => ({ headerFile: () => encodeFile(dataSharePacket, packets.slice(0, 1), 'header') }),
    ],
  ])('refuses %s with %s', async (_, code, make) => {
    const raw = make();
    const fileMiB = (raw.packetFile ?? honestFile).length / MIB;
    await expectRefusal(raw, code, fileMiB + BLOCK_MIB + SLACK_MIB);
  });

  // Packets are read twice, to see that all are in order and to open them, and what the first reading left behind may
  // still be in memory at the second.
  it('refuses packets for nobody in a block that inflates to the whole 64 MiB', async () => {
    const { count, data } = packetsOf(BLOCK_MIB * MIB);
    const packetFile = file(SCHEMA, [{ count, data: deflateRawSync(data, { level: 1 }) }], 'deflate');
    const moreMiB = packetFile.length / MIB + 2 * BLOCK_MIB + SLACK_MIB;
    await expectRefusal({ packetFile }, 'E_PACKET_UNDECRYPTABLE', moreMiB);
  });

  it('refuses 64 MiB of packets for nobody in a file of that size', async () => {
    const packetFile = file(SCHEMA, [packetsOf(BLOCK_MIB * MIB)]);
    // A file is in memory twice while the pieces in which it was read are put together.
    await expectRefusal({ packetFile }, 'E_PACKET_UNDECRYPTABLE', (2 * packetFile.length) / MIB + SLACK_MIB);
  });
});
