import { readAny } from './codec/read.ts';

/*
 * Avro objects as JSON, for people and `jq`. Bytes are base64, digests hexadecimal as `sha256sum` prints them; a
 * batch inside a signature object is shown as what it is.
 */

/** Records between two chunks of output. */
const RECORDS_PER_CHUNK = 1000;

/**
 * One JSON object: `file`, `record` (null where an empty file does not say), `codec`, `metadata` (without the schema)
 * and `records`; in chunks, as a packet file may be large.
 * @throws the Avro errors of `readAny`, possibly after some chunks
 */
export function* inspectFile(name: string, file: Uint8Array): Generator<string> {
  if (file.length === 0) {
    yield `${JSON.stringify({ file: name, record: null, codec: null, metadata: {}, records: [] })}\n`;
    return;
  }
  const { type, codec, metadata, records } = readAny(file);
  const head = { file: name, record: type.name, codec, metadata: shownMetadata(metadata) };
  yield `${JSON.stringify(head).slice(0, -1)},"records":[`;
  let chunk = '';
  let count = 0;
  for (const record of records) {
    chunk += `${count === 0 ? '' : ','}\n  ${JSON.stringify(shownRecord(record))}`;
    if (++count % RECORDS_PER_CHUNK === 0) {
      yield chunk;
      chunk = '';
    }
  }
  yield `${chunk}\n]}\n`;
}

/** The whole file as a value, for a batch within a signature. */
function inspectInline(file: Uint8Array): unknown {
  return JSON.parse([...inspectFile('', file)].join(''), (key, value: unknown) => (key === 'file' ? undefined : value));
}

function shownMetadata(metadata: ReadonlyMap<string, Buffer>): Record<string, string> {
  const own = [...metadata].filter(([key]) => key !== 'avro.schema' && key !== 'avro.codec');
  return Object.fromEntries(own.map(([key, value]) => [key, value.toString()]));
}

function shownRecord(record: unknown): unknown {
  // Every record of `readAny` is an object of Avro fields.
  const fields = Object.entries(record as Record<string, unknown>);
  return Object.fromEntries(fields.map(([name, value]) => [name, shownValue(name, value)]));
}

function shownValue(name: string, value: unknown): unknown {
  // JSON has no integers beyond 2^53 that every reader keeps.
  if (typeof value === 'bigint') return value.toString();
  if (!(value instanceof Uint8Array)) return Array.isArray(value) ? value.map((item) => shownValue(name, item)) : value;
  if (name === 'batch_header' || name === 'packets') return inspectInline(value);
  return Buffer.from(value).toString(name === 'packet_file_digest' ? 'hex' : 'base64');
}
