import type { Type } from 'avsc';
import { avscRecordType } from './avsc-types.ts';
import { encodeLong } from './long.ts';
import type { Field, RecordType } from './record-types.ts';
import { BLOCK_BYTES, encodeContainerHeader } from './write-header.ts';

/** By record type. */
const avscTypes = new WeakMap<object, Type>();

/**
 * An Avro object container file, codec null: the same records under the same name give the same bytes, always.
 * docs/protocol.md, "Container files"; Avro specification, "Object Container Files".
 * @param objectName goes into the sync marker, the first 16 bytes of its SHA-256
 * @param metadata further entries of the header's metadata; none may begin with `avro.`
 * @returns 0 bytes if there are no records
 * @throws TypeError if a record is not of the type, or a metadata key is reserved
 */
export function encodeFile<T>(
  type: RecordType<T>,
  records: Iterable<T>,
  objectName: string,
  metadata: Readonly<Record<string, string>> = {},
): Buffer {
  const { bytes: header, sync } = encodeContainerHeader(type, objectName, metadata);
  const parts = [header];
  const block = new BlockBuffer(writerOf(type));
  let index = 0;
  for (const record of records) {
    try {
      block.append(withBuffers(type.fields, record));
    } catch (cause) {
      throw new TypeError(`record ${index} for ${objectName} is no ${type.name}`, { cause });
    }
    index++;
    if (block.bytes >= BLOCK_BYTES) parts.push(...block.flush(), sync);
  }
  if (index === 0) return Buffer.alloc(0);
  if (block.bytes > 0) parts.push(...block.flush(), sync);
  return Buffer.concat(parts);
}

function writerOf<T>(type: RecordType<T>): Type {
  const known = avscTypes.get(type);
  if (known) return known;
  const made = avscRecordType(type);
  avscTypes.set(type, made);
  return made;
}

/** avsc takes bytes only as `Buffer`. */
function withBuffers(fields: readonly Field[], record: unknown): unknown {
  if (typeof record !== 'object' || record === null) return record; // avsc refuses it
  let copy: Record<string, unknown> | undefined;
  for (const { name, shape } of fields) {
    if (shape.kind !== 'bytes') continue;
    const value = (record as Record<string, unknown>)[name]; // any object may be asked for any property
    if (!(value instanceof Uint8Array) || Buffer.isBuffer(value)) continue;
    copy ??= { ...record };
    copy[name] = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return copy ?? record;
}

/** Records of one block, encoded one after the other. */
class BlockBuffer {
  readonly #type: Type;
  #buffer = Buffer.allocUnsafe(2 * BLOCK_BYTES);
  #count = 0;
  bytes = 0;

  constructor(type: Type) {
    this.#type = type;
  }

  append(record: unknown): void {
    let end = this.#type.encode(record, this.#buffer, this.bytes);
    if (end < 0) {
      // avsc gives the number of missing bytes, negated.
      this.#buffer = Buffer.concat([this.#buffer.subarray(0, this.bytes)], this.#buffer.length - end);
      end = this.#type.encode(record, this.#buffer, this.bytes);
    }
    this.bytes = end;
    this.#count++;
  }

  /** Count, size and records; what follows goes into a new buffer. */
  flush(): Buffer[] {
    const parts = [encodeLong(this.#count), encodeLong(this.bytes), this.#buffer.subarray(0, this.bytes)];
    this.#buffer = Buffer.allocUnsafe(2 * BLOCK_BYTES);
    this.#count = 0;
    this.bytes = 0;
    return parts;
  }
}
