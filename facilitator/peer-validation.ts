import { describeBatch, validationKeys, type BatchId } from '../common/domain/batch-path.ts';
import type { AggregateBatchSetup } from './aggregate-batch-setup.ts';
import { differingFields } from './batch/header.ts';
import type { OpenBatch } from './batch/open-batch.ts';
import { validationsOf } from './batch/validation-stream.ts';
import type { ValidationBlock } from './codec/record-block.ts';
import type { IngestionHeader, ValidationHeader } from './codec/records.ts';
import { validationHeader, validationPacket } from './codec/record-types.ts';
import { PeerValidationUnusable } from './errors.ts';
import { trustIn } from './intake.ts';
import type { Metrics } from './metrics/metrics.ts';
import { countInvalid, openPartyBatch } from './read-party-batch.ts';

/** What the peer says about one ingestion batch. All failures but the end of the task are `PeerValidationUnusable`. */
export class PeerValidation {
  readonly #batch: OpenBatch<ValidationHeader>;
  readonly #place: string;
  readonly #metrics: Metrics;

  private constructor(batch: OpenBatch<ValidationHeader>, place: string, metrics: Metrics) {
    this.#batch = batch;
    this.#place = place;
    this.#metrics = metrics;
  }

  static async open(
    aggregationId: string,
    batch: BatchId,
    { server, peerInput, peerKeys, permitMalformed, log, metrics }: AggregateBatchSetup,
    signal?: AbortSignal,
  ): Promise<PeerValidation> {
    const source = {
      storage: peerInput,
      keys: validationKeys(aggregationId, batch, server === 0 ? 1 : 0),
      headerType: validationHeader,
      packetType: validationPacket,
    };
    const place = describeBatch(aggregationId, batch);
    try {
      const trust = trustIn(peerKeys, permitMalformed, log, 'peer');
      return new PeerValidation(await openPartyBatch('peer', source, trust, metrics, signal), place, metrics);
    } catch (cause) {
      throw unusable(place, cause, signal);
    }
  }

  /** The names of the fields in which its header differs from that of the ingestion batch. */
  differingFields(ingestion: IngestionHeader): string[] {
    return differingFields(ingestion, this.#batch.header);
  }

  /** Its packets, in file order; to be read to their end before they count. */
  async *packets(signal?: AbortSignal): AsyncGenerator<ValidationBlock> {
    try {
      await using stream = await this.#batch.packetFile.open(signal);
      yield* validationsOf(stream);
    } catch (cause) {
      countInvalid('peer', cause, this.#metrics);
      throw unusable(this.#place, cause, signal);
    }
  }

  /** Makes sure that it can be read. */
  async readToEnd(signal?: AbortSignal): Promise<void> {
    for await (const _ of this.packets(signal));
  }
}

function unusable(place: string, cause: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  return new PeerValidationUnusable(`the peer's validation of batch ${place} cannot be used`, { cause });
}
