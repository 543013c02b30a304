import { uuidBytes } from '../../common/domain/uuid.ts';
import { BlockReader, roomFor, type OpenBlock } from './block-reader.ts';
import { recordsOf } from './container.ts';
import { QuickPass, UUID_TEXT_BYTES } from './quick-pass.ts';
import type { BlockFormat, DataShareBlock, RecordBlock } from './record-block.ts';
import { dataSharePacket } from './record-types.ts';
import type { DataSharePacket } from './records.ts';

const reader = new BlockReader(dataSharePacket);

/** A UUID, and a byte for each of the other five fields. */
const MIN_RECORD_BYTES = UUID_TEXT_BYTES + 5;

/**
 * The packets of one block, exactly those that `readRecords` gives.
 * @returns `bytes` are those of the block where nothing had to be inflated or put in another order
 * @throws AvroMalformed, AvroLimitExceeded, AvroSchemaUnsuitable, with the byte in the file
 */
export function decodeDataShares(format: BlockFormat, block: RecordBlock): DataShareBlock {
  const opened = reader.open(format, block);
  return decodeQuickly(opened, block.count) ?? decodeAny(opened, block.count);
}

/**
 * Checks a block to the last byte, and keeps nothing.
 * @throws AvroMalformed, AvroLimitExceeded, AvroSchemaUnsuitable, with the byte in the file
 */
export function checkDataShares(format: BlockFormat, block: RecordBlock): void {
  const opened = reader.open(format, block);
  if (decodeQuickly(opened, block.count)) return;
  for (const _ of recordsOf(block.count, opened.cursor, opened.read));
}

/** @returns `undefined` if anything is out of the ordinary, right or wrong */
function decodeQuickly({ cursor, asOurs }: OpenBlock<DataSharePacket>, count: number): DataShareBlock | undefined {
  if (!asOurs || count > cursor.remaining / MIN_RECORD_BYTES) return undefined;
  const pass = new QuickPass(cursor.bytes);
  const { uuids, payloadStarts, payloadEnds, rPits } = tableFor(count);
  for (let i = 0; i < count && !pass.odd; i++) {
    pass.uuid(uuids, 16 * i);
    const length = pass.length();
    payloadStarts[i] = pass.pos;
    pass.pos += length;
    payloadEnds[i] = pass.pos;
    if (pass.isPresent()) pass.skipText(); // encryption_key_id
    rPits[i] = pass.long();
    if (pass.isPresent()) pass.skipText(); // version_configuration
    if (pass.isPresent()) pass.skipBytes(); // device_nonce
  }
  return pass.complete ? { count, uuids, bytes: cursor.bytes, payloadStarts, payloadEnds, rPits } : undefined;
}

function decodeAny({ cursor, read }: OpenBlock<DataSharePacket>, count: number): DataShareBlock {
  const { uuids, payloadStarts, payloadEnds, rPits } = tableFor(roomFor(count, cursor));
  // All payloads together are shorter than the block.
  const bytes = Buffer.allocUnsafeSlow(cursor.remaining);
  let index = 0;
  let end = 0;
  for (const { uuid, encrypted_payload, r_pit } of recordsOf(count, cursor, read)) {
    uuids.set(uuidBytes(uuid), 16 * index);
    bytes.set(encrypted_payload, end);
    payloadStarts[index] = end;
    end += encrypted_payload.length;
    payloadEnds[index] = end;
    rPits[index] = Number(r_pit);
    index++;
  }
  return { count, uuids, bytes, payloadStarts, payloadEnds, rPits };
}

/** All in one buffer: blocks hold some dozens of packets, so that several small ones would cost more than their content. */
function tableFor(count: number): Pick<DataShareBlock, 'uuids' | 'payloadStarts' | 'payloadEnds' | 'rPits'> {
  const buffer = new ArrayBuffer(32 * count);
  return {
    rPits: new Float64Array(buffer, 0, count),
    payloadStarts: new Uint32Array(buffer, 8 * count, count),
    payloadEnds: new Uint32Array(buffer, 12 * count, count),
    uuids: new Uint8Array(buffer, 16 * count, 16 * count),
  };
}
