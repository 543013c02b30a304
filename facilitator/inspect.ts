import { describeError } from '../common/errors.ts';
import { readAny } from './codec/read.ts';

/*
 * Avro objects as JSON, for people and `jq`. Bytes are base64, digests hexadecimal as `sha256sum` prints them; a
 * batch inside a signature object is shown as what it is.
 */

/** Records between two chunks of output. */
const RECORDS_PER_CHUNK = 1000;

/**
 * One JSON object: `file`, `record` (null where an empty file does not say), `codec`, `metadata` (without the schema)
 * and `records`; in chunks, as a packet file may be large. Of a file that is corrupt after its header the records up to
 * there are shown, and `error` says what is wrong with the next.
 * @throws the Avro errors of `readAny`: before the first chunk, or after the last
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
  try {
    for (const record of records) {
      const shown = JSON.stringify(shownRecord(record));
      chunk += `${count === 0 ? '' : ','}\n  ${shown}`;
      if (++count % RECORDS_PER_CHUNK === 0) {
        yield chunk;
        chunk = '';
      }
    }
  } catch (err) {
    // What follows on the same output must find the object closed.
    yield `${chunk}\n],"error":${JSON.stringify(describeError(err))}}\n`;
    throw err;
  }
  yield `${chunk}\n]}\n`;
}

/** The whole file as a value, for a batch within a signature. */
function inspectInline(file: Uint8Array): unknown {
  const { file: _unnamed, ...shown } = JSON.parse([...inspectFile('', file)].join('')) as Record<string, unknown>;
  return shown;
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
  // JSON has no integers beyond 2^53 that every reader keeps, and no infinity.
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return value.toString();
  if (!(value instanceof Uint8Array)) return Array.isArray(value) ? value.map((item) => shownValue(name, item)) : value;
  if (name === 'batch_header' || name === 'packets') return inspectInline(value);
  return Buffer.from(value).toString(name === 'packet_file_digest' ? 'hex' : 'base64');
}
