import { ingestionKeys, type BatchId } from '../../common/domain/batch-path.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import type { ServerName } from '../../deploy/local/places.ts';
import { readRecords, readSingleRecord } from '../../facilitator/codec/read.ts';
import { batchSignature, dataSharePacket, ingestionHeader } from '../../facilitator/codec/record-types.ts';
import { parseDecryptionKeys } from '../../facilitator/crypto/keys.ts';
import { add, mul, P, sub } from '../../facilitator/prio/field.ts';
import { shareLayout } from '../../facilitator/prio/layout.ts';
import { unpackShare } from '../../facilitator/prio/share.ts';
import { naiveEvaluate } from '../support/prio.ts';
import { KEYS, type Input } from './input.ts';
import type { AggregationSums, ServerSum, Sums } from './sums.ts';

/**
 * What both servers are to publish, computed by somebody who has both servers' keys: every packet is decrypted, its
 * proof checked on the share's polynomials by their definition, and what is in order is added. No messages, no
 * validation batches, no files in between.
 */
export async function modelSums(input: Input): Promise<Sums> {
  const sums: Record<string, AggregationSums> = {};
  for (const { id, batches } of input.aggregations) {
    const open = (server: ServerName): Promise<Batch[]> =>
      Promise.all(batches.map((batch) => openBatch(input, server, id, batch)));
    const [pha, facilitator] = [await open('pha'), await open('facilitator')];
    sums[id] = { pha: serverSum(pha, facilitator), facilitator: serverSum(facilitator, pha) };
  }
  return sums;
}

interface OpenPacket {
  readonly uuid: string;
  readonly data: readonly number[];
  /** Of the proof: shares of f(r), g(r) and h(r). */
  readonly proof: readonly [number, number, number];
}

type Batch = ReadonlyMap<string, OpenPacket>;

function serverSum(own: readonly Batch[], peers: readonly Batch[]): ServerSum {
  const invalid: string[] = [];
  const valid: OpenPacket[] = [];
  for (const [i, batch] of own.entries()) {
    for (const packet of batch.values()) {
      // As many batches as ours.
      const peer = peers[i]!.get(packet.uuid);
      if (peer && isProven(packet, peer)) valid.push(packet);
      else invalid.push(packet.uuid);
    }
  }
  // No batch is empty, and all of an aggregation have the same bins.
  const bins = [...own[0]!.values()][0]!.data.length;
  const sum = Array.from({ length: bins }, (_, bin) => valid.reduce((total, { data }) => add(total, data[bin]!), 0));
  return { sum, packets: valid.length, batches: own.length, invalid: invalid.sort() };
}

function isProven({ proof: a }: OpenPacket, { proof: b }: OpenPacket): boolean {
  return mul(add(a[0], b[0]), add(a[1], b[1])) === add(a[2], b[2]);
}

/** The packets of one server's batch by UUID; of those that come twice the first. */
async function openBatch(
  { ingestion }: Input,
  server: ServerName,
  aggregationId: string,
  batch: BatchId,
): Promise<Batch> {
  const { header, packets, signature } = ingestionKeys(aggregationId, batch);
  const read = (key: string): Promise<Buffer> => readObject(ingestion[server], key);
  // Only to see that it is one: the input is our own.
  readSingleRecord(batchSignature, await read(signature));
  const { bins } = readSingleRecord(ingestionHeader, await read(header)).record;
  const [decryptor] = parseDecryptionKeys(KEYS.packet[server].private, `the packet key of ${server}`);
  const opened = new Map<string, OpenPacket>();
  for (const { uuid, encrypted_payload, r_pit } of readRecords(dataSharePacket, await read(packets))) {
    if (opened.has(uuid)) continue;
    const plain = decryptor?.decrypt(encrypted_payload);
    if (!plain) throw new Error(`packet ${uuid} cannot be opened`);
    const share = [...unpackShare(plain, shareLayout(bins), server === 'pha')];
    opened.set(uuid, { uuid, data: share.slice(0, bins), proof: proofOf(share, bins, Number(r_pit) % P, server) });
  }
  return opened;
}

/** f, g and h at r, each the polynomial through its points, docs/protocol.md, "Verification message". */
function proofOf(share: readonly number[], bins: number, r: number, server: ServerName): OpenPacket['proof'] {
  const { points } = shareLayout(bins);
  const data = share.slice(0, bins);
  // A share begins with its data, and f0, g0, h0 come next.
  const [f0, g0, h0] = share.slice(bins, bins + 3) as [number, number, number];
  const odd = share.slice(bins + 3);
  const rest = Array.from({ length: points - bins - 1 }, () => 0);
  const shifted = data.map((datum) => sub(datum, server === 'pha' ? 1 : 0));
  return [
    dot(weights(points, r), [f0, ...data, ...rest]),
    dot(weights(points, r), [g0, ...shifted, ...rest]),
    dot(
      weights(2 * points, r),
      odd.flatMap((value, i) => [i === 0 ? h0 : 0, value]),
    ),
  ];
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, weight, i) => add(sum, mul(weight, b[i]!)), 0);

const known = new Map<string, readonly number[]>();

/** What each of n points weighs at r: evaluation is linear, so that of the points' unit vectors tells it. */
function weights(n: number, r: number): readonly number[] {
  const key = `${n} ${r}`;
  const found = known.get(key);
  if (found) return found;
  const units = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  const made = units.map((unit) => naiveEvaluate(unit, r));
  known.set(key, made);
  return made;
}
