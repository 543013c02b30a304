import { CASES, keys, otherSide, readCase, signingKeyOf, type Side } from './cases.ts';

/** Options of a command by name, without dashes; a list is given once for each of its values. */
export type CommandOptions = Readonly<Record<string, string | readonly string[]>>;

/** A command line of options and values, each a word of its own. */
export function commandLine(command: string, options: CommandOptions): string[] {
  const words = Object.entries(options).flatMap(([name, values]) =>
    [values].flat().flatMap((value) => [`--${name}`, value]),
  );
  return [command, ...words];
}

export function without(options: CommandOptions, ...names: readonly string[]): CommandOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
}

/** The recorded case that these command lines are about. */
export const ORDINARY = readCase('ordinary');
const [firstBatch] = ORDINARY.batches;

function serverOptions(side: Side): CommandOptions {
  return {
    'aggregation-id': ORDINARY.aggregation_id,
    'is-first': String(side === 'pha'),
    'batch-signing-private-key': signingKeyOf(side).pkcs8,
    'batch-signing-private-key-identifier': `${side}-signing-key`,
    'packet-decryption-keys': (side === 'pha' ? keys.pha_enc : keys.fac_enc).x963priv,
    'ingestor-input': `${CASES}/ordinary/${side}/ingestion`,
    'ingestor-public-key': keys.ingestor.spki,
    'ingestor-public-key-identifier': 'ingestor-key-1',
  };
}

/** Takes the first batch of `ORDINARY` in; writes to `peer` and `own` in `root`. */
export function intakeOptions(root: string, side: Side = 'facilitator'): CommandOptions {
  return {
    ...serverOptions(side),
    'batch-id': firstBatch!.id,
    date: firstBatch!.time,
    'peer-output': `${root}/peer`,
    'own-output': `${root}/own`,
  };
}

/** Aggregates `ORDINARY`; writes to `portal` in `root`. */
export function aggregateOptions(root: string, side: Side = 'facilitator'): CommandOptions {
  const peer = otherSide(side);
  return {
    ...serverOptions(side),
    'instance-name': ORDINARY.instance_name,
    'batch-id': ORDINARY.batches.map(({ id }) => id),
    'batch-time': ORDINARY.batches.map(({ time }) => time),
    'aggregation-start': ORDINARY.aggregation_start,
    'aggregation-end': ORDINARY.aggregation_end,
    'peer-input': `${CASES}/ordinary/${peer}/to-peer-validation`,
    'peer-public-key': signingKeyOf(peer).spki,
    'peer-public-key-identifier': `${peer}-signing-key`,
    'portal-output': `${root}/portal`,
  };
}

/** Generates a batch of 3 packets with the keys of the recorded cases; writes to `pha` and `facilitator` in `root`. */
export function sampleOptions(root: string): CommandOptions {
  return {
    'aggregation-id': 'sample',
    'batch-id': '9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b',
    date: '2026/11/20/10/30',
    'packet-count': '3',
    dimension: '5',
    epsilon: '0.23',
    'batch-start-time': '1795168800000',
    'batch-end-time': '1795172400000',
    'batch-signing-private-key': keys.ingestor.pkcs8,
    'batch-signing-private-key-identifier': 'ingestor-key-1',
    'pha-ecies-public-key': keys.pha_enc.x963pub,
    'facilitator-ecies-public-key': keys.fac_enc.x963pub,
    'peer-output': `${root}/pha`,
    'facilitator-output': `${root}/facilitator`,
  };
}
