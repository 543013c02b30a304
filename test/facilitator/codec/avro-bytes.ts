/*
 * Avro by hand, apart from the code under test: for files that no writer of ours would make.
 */

/** A zigzag varint. */
export function long(value: number | bigint): Buffer {
  const wide = BigInt(value);
  let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A `string` or `bytes`. */
export function value(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([long(bytes.length), bytes]);
}

export function double(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(number);
  return bytes;
}

export const join = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

export const MAGIC = Buffer.from('4f626a01', 'hex');
export const SYNC = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');

export interface Block {
  readonly count: number | bigint;
  /** As it lies in the file. */
  readonly data: Uint8Array;
}

/** Magic, metadata in the given order, sync marker. */
export function header(metadata: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const entries = Object.entries(metadata);
  const count = entries.length === 0 ? [] : [long(entries.length)];
  return join(MAGIC, ...count, ...entries.map(([key, content]) => join(value(key), value(content))), long(0), SYNC);
}

export function block({ count, data }: Block): Buffer {
  return join(long(count), long(data.length), data, SYNC);
}

/** A file; a schema that is not text yet is written as JSON. */
export function file(schema: unknown, blocks: readonly Block[], codec?: string): Buffer {
  const text = typeof schema === 'string' ? schema : JSON.stringify(schema);
  const metadata = codec === undefined ? { 'avro.schema': text } : { 'avro.schema': text, 'avro.codec': codec };
  return join(header(metadata), ...blocks.map(block));
}

/** A record schema of these fields, under a name that says nothing. */
export function recordOf(fields: Readonly<Record<string, unknown>>): unknown {
  return { type: 'record', name: 'R', fields: Object.entries(fields).map(([name, type]) => ({ name, type })) };
}
