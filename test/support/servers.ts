import { createECDH, generateKeyPairSync } from 'node:crypto';
import { pino } from 'pino';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import type { ServerIndex } from '../../common/domain/batch-path.ts';
import type { Interval } from '../../common/domain/interval.ts';
import type { AggregateSetup } from '../../facilitator/aggregate.ts';
import { PacketDecryptor } from '../../facilitator/crypto/ecies.ts';
import { fixedKeys } from '../../facilitator/crypto/key-source.ts';
import { parseSigningKey } from '../../facilitator/crypto/keys.ts';
import type { SigningKey } from '../../facilitator/crypto/signature.ts';
import type { IntakeSetup } from '../../facilitator/intake.ts';
import { InlineEngine } from '../../facilitator/packets/inline-engine.ts';
import { noMetrics } from '../../facilitator/metrics/metrics.ts';
import { seededRandom } from './prio.ts';

/** One packet decryption key in all its parts. */
export interface PacketKey {
  readonly scalar: Uint8Array;
  readonly point: Buffer;
  readonly decryptor: PacketDecryptor;
}

/** Two keys for each server. */
export type PacketKeys = readonly [readonly [PacketKey, PacketKey], readonly [PacketKey, PacketKey]];

function packetKey(label: string): PacketKey {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(seededRandom(label)(32));
  const scalar = Buffer.concat([Buffer.alloc(32), ecdh.getPrivateKey()]).subarray(-32);
  return { scalar, point: ecdh.getPublicKey(), decryptor: new PacketDecryptor(scalar) };
}

export const packetKeys: PacketKeys = [
  [packetKey('pha 1'), packetKey('pha 2')],
  [packetKey('facilitator 1'), packetKey('facilitator 2')],
];

export function newSigningKey(identifier: string): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return parseSigningKey(
    privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    identifier,
    identifier,
  );
}

export const ingestorKey = newSigningKey('ingestor-key');
export const serverKeys = [newSigningKey('pha-key'), newSigningKey('facilitator-key')] as const;

export const AGGREGATION = 'agg';
export const WINDOW: Interval = { begin: new Date('2026-11-20T09:00:00Z'), end: new Date('2026-11-20T12:00:00Z') };

/** The storages of both servers, in memory. */
export interface World {
  readonly ingestion: readonly [MemoryStorage, MemoryStorage];
  /** Read by the server of that index. */
  readonly peerValidation: readonly [MemoryStorage, MemoryStorage];
  readonly ownValidation: readonly [MemoryStorage, MemoryStorage];
}

export function newWorld(): World {
  const pair = (name: string): [MemoryStorage, MemoryStorage] => [
    new MemoryStorage(`pha-${name}`),
    new MemoryStorage(`facilitator-${name}`),
  ];
  return {
    ingestion: pair('ingestion'),
    peerValidation: pair('peer-validation'),
    ownValidation: pair('own-validation'),
  };
}

export const other = (server: ServerIndex): ServerIndex => (server === 0 ? 1 : 0);

const log = pino({ level: 'silent' });
/** For all tests of a file: its evaluators are kept. */
const engine = new InlineEngine();

export function intakeSetup(world: World, server: ServerIndex, changes: Partial<IntakeSetup> = {}): IntakeSetup {
  return {
    server,
    ingestorInput: world.ingestion[server],
    ingestorKeys: fixedKeys(new Map([[ingestorKey.identifier, ingestorKey.publicKey]])),
    peerOutput: world.peerValidation[other(server)],
    ownOutput: world.ownValidation[server],
    engine,
    decryptors: packetKeys[server].map(({ decryptor }) => decryptor),
    signingKey: serverKeys[server],
    permitMalformed: false,
    singleObject: false,
    log,
    metrics: noMetrics,
    ...changes,
  };
}

export function aggregateSetup(
  world: World,
  server: ServerIndex,
  portalOutput: MemoryStorage,
  changes: Partial<AggregateSetup> = {},
): AggregateSetup {
  const peerKey = serverKeys[other(server)];
  return {
    server,
    instanceName: 'test',
    ingestorInput: world.ingestion[server],
    ingestorKeys: fixedKeys(new Map([[ingestorKey.identifier, ingestorKey.publicKey]])),
    peerInput: world.peerValidation[server],
    peerKeys: fixedKeys(new Map([[peerKey.identifier, peerKey.publicKey]])),
    ownInput: world.ownValidation[server],
    portalOutput,
    engine,
    decryptors: packetKeys[server].map(({ decryptor }) => decryptor),
    signingKey: serverKeys[server],
    permitMalformed: false,
    log,
    metrics: noMetrics,
    ...changes,
  };
}
