import type { IngestionHeader, ValidationHeader } from '../codec/records.ts';
import { HeaderContradictsTask } from '../errors.ts';

/** What the batches of one aggregation, and the two servers' batches, must agree on. */
const PARAMETERS = ['name', 'bins', 'epsilon', 'prime', 'number_of_servers', 'hamming_weight'] as const;

type AnyHeader = IngestionHeader | ValidationHeader;

/** The parameters in which two headers differ; doubles are compared exactly. */
export function differingParameters(a: AnyHeader, b: AnyHeader): string[] {
  return PARAMETERS.filter((field) => a[field] !== b[field]);
}

/** As `differingParameters`, and the batch's UUID: for two headers of one batch. */
export function differingFields(a: AnyHeader, b: AnyHeader): string[] {
  return [...(a.batch_uuid === b.batch_uuid ? [] : ['batch_uuid']), ...differingParameters(a, b)];
}

/**
 * A signature proves who made a batch, not where it belongs: only the header's own words bind it to its path.
 * @throws HeaderContradictsTask
 */
export function requireBatchOfTask(header: AnyHeader, aggregationId: string, batchId: string): void {
  const contradict = (field: string, found: string, wanted: string): never => {
    throw new HeaderContradictsTask(
      `the batch at ${aggregationId}, ${batchId} has ${field} "${found}" in its signed header, the task says "${wanted}"`,
    );
  };
  if (header.batch_uuid !== batchId) contradict('batch_uuid', header.batch_uuid, batchId);
  if (header.name !== aggregationId) contradict('name', header.name, aggregationId);
}

/** What headers of an aggregation have in common, by name. */
export function parametersOf(header: IngestionHeader): Pick<IngestionHeader, (typeof PARAMETERS)[number]> {
  const { name, bins, epsilon, prime, number_of_servers, hamming_weight } = header;
  return { name, bins, epsilon, prime, number_of_servers, hamming_weight };
}

/** The header of a validation batch: the ingestion header without its times, over another packet file. */
export function validationHeaderOf(header: IngestionHeader, packetFileDigest: Uint8Array): ValidationHeader {
  return { ...parametersOf(header), batch_uuid: header.batch_uuid, packet_file_digest: packetFileDigest };
}
