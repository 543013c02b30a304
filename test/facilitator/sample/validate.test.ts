import { describe, expect, it } from 'vitest';
import { ObjectMissing } from '../../../common/errors.ts';
import type { SumPart } from '../../../facilitator/codec/records.ts';
import { SampleMismatch, SignatureInvalid } from '../../../facilitator/errors.ts';
import { expectedSum } from '../../../facilitator/sample/expected-sum.ts';
import { sampleData } from '../../../facilitator/sample/sample-data.ts';
import { validateSample, type ValidationSetup } from '../../../facilitator/sample/validate.ts';
import { newSigningKey, serverKeys } from '../../support/servers.ts';
import { BATCHES, BINS, PACKETS, publishSums, TASK, validationSetup } from './sample-sums.ts';

/** The message of the mismatch that there must be. */
async function mismatchOf(setup: ValidationSetup): Promise<string> {
  const failed = validateSample(TASK, setup);
  await expect(failed).rejects.toThrow(SampleMismatch);
  return failed.then(String, String);
}

describe('the sum of samples', () => {
  it('is that of their data, bin by bin', async () => {
    const [id] = BATCHES;
    const plain = [0, 1, 2].map((bin) => [0, 1, 2, 3].filter((n) => sampleData(id!, n, 3)[bin] === 1).length);
    expect(await expectedSum([id!], 4, 3)).toEqual(plain);
    expect(await expectedSum([], 4, 3)).toEqual([0, 0, 0]);
  });

  it('is accepted if it is right', async () => {
    const setup = validationSetup();
    await publishSums(setup);
    expect(await validateSample(TASK, setup)).toEqual({ batches: 2, packets: 2 * PACKETS });
  });

  it.each<{ name: string; changes: readonly [Partial<SumPart>?, Partial<SumPart>?]; told: string }>([
    { name: 'one bin', changes: [{ sum: [1, ...Array<number>(BINS - 1).fill(0)] }], told: 'is wrong in' },
    {
      name: 'another batch at one server',
      changes: [{}, { batch_uuids: [BATCHES[0]!] }],
      told: 'differ in batch_uuids',
    },
    { name: 'a packet less at one server', changes: [{ total_individual_clients: 1 }], told: 'differ in total_ind' },
    { name: 'another aggregation', changes: [{ name: 'other' }], told: 'differ in name' },
    { name: 'other bins at one server', changes: [{}, { bins: 3 }], told: 'differ in bins' },
    { name: 'a sum that is too short', changes: [{ sum: [1] }], told: 'are of 1 and 20 bins, and say 20' },
    { name: 'more bins than samples have', changes: [{ bins: 257 }, { bins: 257 }], told: 'and say 257' },
    {
      name: 'a batch less at both servers',
      changes: [{ batch_uuids: [BATCHES[0]!] }, { batch_uuids: [BATCHES[0]!] }],
      told: 'the sum of 1 sample batches of 7 packets is wrong in',
    },
  ])('is refused with $name', async ({ changes, told }) => {
    const setup = validationSetup();
    await publishSums(setup, changes);
    expect(await mismatchOf(setup)).toContain(told);
  });

  it('is refused if the samples are larger than we are told', async () => {
    const setup = validationSetup();
    await publishSums(setup);
    expect(await mismatchOf({ ...setup, packetCount: PACKETS - 1 })).toContain('is wrong in');
  });

  it('waits for sum parts that are not there', async () => {
    await expect(validateSample(TASK, validationSetup())).rejects.toThrow(ObjectMissing);
  });

  it('is not looked at if a signature does not verify', async () => {
    const setup = validationSetup();
    const impostor = { ...newSigningKey('x'), identifier: serverKeys[1].identifier };
    await publishSums(setup, [], [serverKeys[0], impostor]);
    await expect(validateSample(TASK, setup)).rejects.toThrow(SignatureInvalid);
  });
});
