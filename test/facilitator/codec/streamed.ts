import { expect } from 'vitest';
import { formatUuid } from '../../../common/domain/uuid.ts';
import { openContainer } from '../../../facilitator/codec/container-stream.ts';
import { checkDataShares, decodeDataShares } from '../../../facilitator/codec/data-share-block.ts';
import { readRecords } from '../../../facilitator/codec/read.ts';
import type { BlockFormat, RecordBlock } from '../../../facilitator/codec/record-block.ts';
import { dataSharePacket, validationPacket, type RecordType } from '../../../facilitator/codec/record-types.ts';
import type { DataSharePacket, Long, ValidationPacket } from '../../../facilitator/codec/records.ts';
import { decodeValidations } from '../../../facilitator/codec/validation-block.ts';

/** The bytes in chunks of these sizes in turn; all in one by default. */
export async function* inChunks(bytes: Uint8Array, sizes: readonly number[] = [bytes.length]): AsyncGenerator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? bytes.length;
    yield Buffer.from(bytes.subarray(at, at + size));
    at += size;
  }
}

/** What was read until the end, or until the error. */
export interface Outcome {
  readonly records: readonly unknown[];
  /** Its class and message. */
  readonly error: readonly unknown[] | undefined;
}

async function outcomeOf(act: (records: unknown[]) => void | Promise<void>): Promise<Outcome> {
  const records: unknown[] = [];
  try {
    await act(records);
  } catch (err) {
    return { records, error: err instanceof Error ? [err.constructor, err.message] : [err] };
  }
  return { records, error: undefined };
}

/** How the blocks of one type are decoded, and what is made of their records for comparing. */
export interface Decoding<T> {
  readonly type: RecordType<T>;
  /** Of `readRecords`. */
  readonly fromRecord: (record: T) => unknown;
  readonly fromBlock: (format: BlockFormat, block: RecordBlock) => unknown[];
}

const uuidAt = (uuids: Uint8Array, i: number): string => formatUuid(uuids.subarray(16 * i, 16 * i + 16));

export const dataShares: Decoding<DataSharePacket> = {
  type: dataSharePacket,
  fromRecord: ({ uuid, encrypted_payload, r_pit }) => ({
    uuid,
    payload: Buffer.from(encrypted_payload).toString('hex'),
    rPit: Number(r_pit),
  }),
  fromBlock: (format, block) => {
    const { count, uuids, bytes, payloadStarts, payloadEnds, rPits } = decodeDataShares(format, block);
    return Array.from({ length: count }, (_, i) => ({
      uuid: uuidAt(uuids, i),
      payload: Buffer.from(bytes.subarray(payloadStarts[i], payloadEnds[i])).toString('hex'),
      rPit: rPits[i],
    }));
  },
};

/** Decodes nothing, but fails as if it did. */
export const checkedDataShares: Decoding<DataSharePacket> = {
  ...dataShares,
  fromRecord: () => 'checked',
  fromBlock: (format, block) => {
    checkDataShares(format, block);
    return Array.from({ length: block.count }, () => 'checked');
  },
};

const isU32 = (value: Long): boolean => typeof value === 'number' && value >= 0 && value < 2 ** 32;

export const validations: Decoding<ValidationPacket> = {
  type: validationPacket,
  fromRecord: ({ uuid, f_r, g_r, h_r }) => {
    const message = [f_r, g_r, h_r];
    const inRange = message.every(isU32);
    return { uuid, inRange: Number(inRange), message: inRange ? message : [0, 0, 0] };
  },
  fromBlock: (format, block) => {
    const { count, uuids, messages, inRange } = decodeValidations(format, block);
    return Array.from({ length: count }, (_, i) => ({
      uuid: uuidAt(uuids, i),
      inRange: inRange[i],
      message: [...messages.subarray(3 * i, 3 * i + 3)],
    }));
  },
};

/** The blocks of a file and what they have in common. */
export async function framed(
  bytes: Uint8Array,
  sizes?: readonly number[],
): Promise<{ format: BlockFormat; blocks: RecordBlock[] }> {
  const opened = await openContainer(inChunks(bytes, sizes));
  if (!opened) throw new RangeError('an empty file has no format');
  const blocks: RecordBlock[] = [];
  for await (const block of opened.blocks) blocks.push(block);
  return { format: opened.header, blocks };
}

export function streamed<T>(decoding: Decoding<T>, bytes: Uint8Array, sizes?: readonly number[]): Promise<Outcome> {
  return outcomeOf(async (records) => {
    const opened = await openContainer(inChunks(bytes, sizes), decoding.type);
    if (!opened) return;
    for await (const block of opened.blocks) records.push(...decoding.fromBlock(opened.header, block));
  });
}

export function readWhole<T>(decoding: Decoding<T>, bytes: Uint8Array): Promise<Outcome> {
  return outcomeOf((records) => {
    for (const record of readRecords(decoding.type, bytes)) records.push(decoding.fromRecord(record));
  });
}

/**
 * Fails unless streaming the file gives what reading it whole gives: the same records, or the same error and no record
 * more (a block that fails gives none).
 */
export async function expectSame<T>(
  decoding: Decoding<T>,
  bytes: Uint8Array,
  sizes?: readonly number[],
): Promise<Outcome> {
  const [stream, whole] = [await streamed(decoding, bytes, sizes), await readWhole(decoding, bytes)];
  expect(stream.error).toEqual(whole.error);
  expect(stream.records).toEqual(whole.error ? whole.records.slice(0, stream.records.length) : whole.records);
  return stream;
}
