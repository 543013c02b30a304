import { createHash } from 'node:crypto';
import { MAGIC } from './container.ts';
import { encodeLong } from './long.ts';
import type { RecordType } from './record-types.ts';

/** A block ends with the record that fills it up to this. docs/protocol.md, "Container files". */
export const BLOCK_BYTES = 16_000;

/** What stands before the blocks of a file that we write. */
export interface WrittenHeader {
  readonly bytes: Buffer;
  /** 16 bytes, the end of `bytes` and of every block. */
  readonly sync: Buffer;
}

/**
 * The header of a file, codec null.
 * @param objectName goes into the sync marker, the first 16 bytes of its SHA-256
 * @param metadata further entries; none may begin with `avro.`
 * @throws TypeError if one does
 */
export function encodeContainerHeader<T>(
  type: RecordType<T>,
  objectName: string,
  metadata: Readonly<Record<string, string>> = {},
): WrittenHeader {
  const extra = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  const reserved = extra.find(([key]) => key.startsWith('avro.'));
  if (reserved) throw new TypeError(`metadata key ${JSON.stringify(reserved[0])}: "avro." is reserved by the format`);
  const entries = [['avro.schema', type.schemaText], ['avro.codec', 'null'], ...extra].flat();
  const sync = createHash('sha256').update(objectName, 'utf8').digest().subarray(0, 16);
  const bytes = Buffer.concat([
    MAGIC,
    encodeLong(entries.length / 2),
    ...entries.map(lengthAndText),
    encodeLong(0), // no further block of entries
    sync,
  ]);
  return { bytes, sync };
}

function lengthAndText(text: string): Buffer {
  const utf8 = Buffer.from(text, 'utf8');
  return Buffer.concat([encodeLong(utf8.length), utf8]);
}
