import { uuidBytes } from '../../common/domain/uuid.ts';
import { BlockReader, roomFor, type OpenBlock } from './block-reader.ts';
import { recordsOf } from './container.ts';
import { QuickPass, UUID_TEXT_BYTES } from './quick-pass.ts';
import type { BlockFormat, RecordBlock, ValidationBlock } from './record-block.ts';
import { validationPacket } from './record-types.ts';
import type { Long, ValidationPacket } from './records.ts';

const reader = new BlockReader(validationPacket);

/** A UUID, and a byte for each of the other three fields. */
const MIN_RECORD_BYTES = UUID_TEXT_BYTES + 3;

/**
 * The messages of one block, exactly those that `readRecords` gives.
 * @throws AvroMalformed, AvroLimitExceeded, AvroSchemaUnsuitable, with the byte in the file
 */
export function decodeValidations(format: BlockFormat, block: RecordBlock): ValidationBlock {
  const opened = reader.open(format, block);
  return decodeQuickly(opened, block.count) ?? decodeAny(opened, block.count);
}

/** @returns `undefined` if anything is out of the ordinary, right or wrong */
function decodeQuickly({ cursor, asOurs }: OpenBlock<ValidationPacket>, count: number): ValidationBlock | undefined {
  if (!asOurs || count > cursor.remaining / MIN_RECORD_BYTES) return undefined;
  const pass = new QuickPass(cursor.bytes);
  const table = new MessageTable(count);
  for (let i = 0; i < count && !pass.odd; i++) {
    pass.uuid(table.uuids, 16 * i);
    table.setMessage(i, pass.long(), pass.long(), pass.long());
  }
  return pass.complete ? table : undefined;
}

function decodeAny({ cursor, read }: OpenBlock<ValidationPacket>, count: number): ValidationBlock {
  const table = new MessageTable(roomFor(count, cursor));
  let index = 0;
  for (const { uuid, f_r, g_r, h_r } of recordsOf(count, cursor, read)) {
    table.uuids.set(uuidBytes(uuid), 16 * index);
    table.setMessage(index, f_r, g_r, h_r);
    index++;
  }
  return table;
}

class MessageTable implements ValidationBlock {
  readonly count: number;
  readonly uuids: Uint8Array;
  readonly messages: Uint32Array;
  readonly inRange: Uint8Array;

  constructor(count: number) {
    this.count = count;
    this.uuids = new Uint8Array(16 * count);
    this.messages = new Uint32Array(3 * count);
    this.inRange = new Uint8Array(count);
  }

  setMessage(index: number, f: Long, g: Long, h: Long): void {
    if (!isUint32(f) || !isUint32(g) || !isUint32(h)) return;
    this.inRange[index] = 1;
    this.messages[3 * index] = f;
    this.messages[3 * index + 1] = g;
    this.messages[3 * index + 2] = h;
  }
}

const isUint32 = (value: Long): value is number => typeof value === 'number' && value >>> 0 === value;
