import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Side = 'pha' | 'facilitator';
export const SIDES = ['pha', 'facilitator'] as const;

interface RecordedSumPart {
  readonly batch_uuids: readonly string[];
  readonly sum: readonly number[];
  readonly total_individual_clients: number;
  readonly bins: number;
  readonly name: string;
  readonly epsilon: number;
  readonly prime: number;
  readonly number_of_servers: number;
  readonly hamming_weight: number | null;
}

/** A `case.json`: `test/vectors/README.md`. */
export interface RecordedCase {
  readonly name: string;
  readonly doc: string;
  readonly aggregation_id: string;
  readonly aggregation_start: string;
  readonly aggregation_end: string;
  readonly instance_name: string;
  readonly permit_malformed_batch: boolean;
  readonly single_object_validation: boolean;
  readonly extra_decryption_keys: boolean;
  readonly batches: readonly { readonly id: string; readonly time: string }[];
  readonly reference_result: {
    readonly intake: Readonly<Record<Side, readonly { readonly exit: number }[]>>;
    readonly aggregate: Readonly<
      Record<Side, { readonly exit: number; readonly sum_part?: RecordedSumPart; readonly invalid_uuids?: string[] }>
    >;
  };
}

interface KeyForms {
  readonly pkcs8: string;
  readonly spki: string;
  readonly x963pub: string;
  readonly x963priv: string;
}
type CaseKeys = Readonly<Record<'ingestor' | 'pha_sign' | 'fac_sign' | 'pha_enc' | 'fac_enc', KeyForms>>;

export const CASES = fileURLToPath(new URL('../vectors/cases', import.meta.url));
const json = (path: string): unknown => JSON.parse(readFileSync(`${CASES}/${path}`, 'utf8'));

// The vectors never change, and these types describe them.
export const caseNames = json('cases.json') as readonly string[];
export const keys = json('keys.json') as CaseKeys;
const olderKeys = json('older-keys.json') as CaseKeys;
export const readCase = (name: string): RecordedCase => json(`${name}/case.json`) as RecordedCase;

export const signingKeyOf = (side: Side): KeyForms => (side === 'pha' ? keys.pha_sign : keys.fac_sign);
export const otherSide = (side: Side): Side => (side === 'pha' ? 'facilitator' : 'pha');

function decryptionKeys(side: Side, recorded: RecordedCase): string {
  const pick = (from: CaseKeys): string => (side === 'pha' ? from.pha_enc : from.fac_enc).x963priv;
  return recorded.extra_decryption_keys ? `${pick(keys)},${pick(olderKeys)}` : pick(keys);
}

/** The options that intake and aggregate of a case have in common. */
export function commonArguments(recorded: RecordedCase, side: Side): string[] {
  return [
    ...['--aggregation-id', recorded.aggregation_id, '--instance-name', recorded.instance_name],
    ...['--is-first', String(side === 'pha')],
    ...['--batch-signing-private-key', signingKeyOf(side).pkcs8],
    ...['--batch-signing-private-key-identifier', `${side}-signing-key`],
    ...['--packet-decryption-keys', decryptionKeys(side, recorded)],
    ...['--ingestor-input', `${CASES}/${recorded.name}/${side}/ingestion`],
    ...['--ingestor-public-key', keys.ingestor.spki, '--ingestor-public-key-identifier', 'ingestor-key-1'],
    ...['--permit-malformed-batch', String(recorded.permit_malformed_batch)],
  ];
}
