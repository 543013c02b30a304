import type { Logger } from 'pino';
import type { ServerIndex } from '../common/domain/batch-path.ts';
import type { Storage } from '../common/ports/storage.ts';
import type { PacketDecryptor } from './crypto/ecies.ts';
import type { KeySource } from './crypto/key-source.ts';
import type { SigningKey } from './crypto/signature.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { PacketEngine } from './packets/packet-engine.ts';

/** What it takes to sum the packets of any batch. */
export interface AggregateBatchSetup {
  readonly server: ServerIndex;
  readonly ingestorInput: Storage;
  readonly ingestorKeys: KeySource;
  readonly peerInput: Storage;
  readonly peerKeys: KeySource;
  /** Where intake kept our own validation batches; without it every packet is opened again, unchecked. */
  readonly ownInput: Storage | undefined;
  readonly decryptors: readonly PacketDecryptor[];
  readonly signingKey: SigningKey;
  readonly permitMalformed: boolean;
  readonly engine: PacketEngine;
  readonly log: Logger;
  readonly metrics: Metrics;
}
