import { createPublicKey } from 'node:crypto';
import { sumPartKeys } from '../../common/domain/batch-path.ts';
import type { Interval } from '../../common/domain/interval.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { readBatch } from '../../facilitator/batch/read-batch.ts';
import type { SumPart } from '../../facilitator/codec/records.ts';
import { invalidPacket, sumPart } from '../../facilitator/codec/record-types.ts';
import { soleKey } from '../../facilitator/crypto/key-source.ts';
import { reconstruct } from '../../facilitator/prio/sum.ts';
import { isFirst, type ServerName } from './places.ts';

/** One server's verified sum part. */
export interface PublishedSum {
  readonly part: SumPart;
  readonly invalidPackets: number;
}

/** Reads what a server published for a window, as a portal would. @throws if it is not there or not in order */
export async function readSumPart(
  portal: Storage,
  server: ServerName,
  about: { readonly instanceName: string; readonly aggregationId: string; readonly window: Interval },
  spki: string,
): Promise<PublishedSum> {
  const publicKey = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
  const keys = sumPartKeys(about.instanceName, about.aggregationId, about.window, isFirst(server) ? 0 : 1);
  const source = { storage: portal, keys, headerType: sumPart, packetType: invalidPacket };
  const { header, packetCount } = await readBatch(source, { keys: soleKey(publicKey) });
  return { part: header, invalidPackets: packetCount };
}

/** The histogram that two sum parts make. */
export function histogram(a: PublishedSum, b: PublishedSum): number[] {
  // A verified sum part holds field elements, which are safe integers.
  const [sumA, sumB] = [a, b].map(({ part }) => part.sum.map(Number)) as [number[], number[]];
  return Array.from(reconstruct(sumA, sumB));
}
