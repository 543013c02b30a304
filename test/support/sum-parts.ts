import { sumPartKeys } from '../../common/domain/batch-path.ts';
import { formatUuidV4 } from '../../common/domain/uuid.ts';
import { encodeSumPart, type EncodedSumPart } from '../../facilitator/batch/sum-part.ts';
import type { SumPart } from '../../facilitator/codec/records.ts';
import { P } from '../../facilitator/prio/field.ts';
import { seededRandom } from './prio.ts';
import { AGGREGATION, serverKeys, WINDOW } from './servers.ts';

export const SUM_PART_KEYS = sumPartKeys('test', AGGREGATION, WINDOW, 0);

export const uuid = (name: string): string => formatUuidV4(seededRandom(name)(16));

/** A sum part of server 0 that is as it should be, but for what is given. */
export function sumPartWith(
  changes: Partial<SumPart> = {},
  invalidUuids: readonly string[] = [uuid('invalid')],
  signingKey = serverKeys[0],
): EncodedSumPart {
  const header = {
    batch_uuids: [uuid('batch')],
    name: AGGREGATION,
    bins: 2,
    epsilon: 0.11,
    prime: P,
    number_of_servers: 2,
    hamming_weight: null,
    sum: [4_000_000_019, 7],
    aggregation_start_time: WINDOW.begin.getTime(),
    aggregation_end_time: WINDOW.end.getTime(),
    total_individual_clients: 5,
    ...changes,
  };
  return encodeSumPart(SUM_PART_KEYS, header, invalidUuids, signingKey);
}
