import { createPublicKey } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileStorage } from '../../common/backends/storage/file.ts';
import { sumPartKeys, validationKeys, type BatchKeys, type ServerIndex } from '../../common/domain/batch-path.ts';
import { parseBatchTime } from '../../common/domain/batch-time.ts';
import { readBatch, type SignedBatch } from '../../facilitator/batch/read-batch.ts';
import { invalidPacket, sumPart, validationHeader, validationPacket } from '../../facilitator/codec/record-types.ts';
import type { RecordType } from '../../facilitator/codec/record-types.ts';
import { fixedKeys } from '../../facilitator/crypto/key-source.ts';
import {
  caseNames,
  CASES,
  commonArguments,
  otherSide,
  readCase,
  SIDES,
  signingKeyOf,
  type RecordedCase,
  type Side,
} from '../support/cases.ts';
import { runFacilitator } from '../support/run-facilitator.ts';

/** What the reference counts as a client although its packet is not in the sum. */
const REJECTED_PROOFS: Readonly<Record<string, number>> = {
  'invalid-proof/pha': 1,
  'invalid-proof/facilitator': 1,
  'peer-validation-lies/facilitator': 1,
};
/** Their recorded validation batches were altered afterwards. */
const ALTERED_VALIDATIONS = ['peer-validation-missing', 'peer-validation-lies'];

const indexOf = (side: Side): ServerIndex => (side === 'pha' ? 0 : 1);
const time = (text: string): Date => parseBatchTime(text)!;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dsp-cases-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function signedBatch<H extends { readonly packet_file_digest: Uint8Array }, P>(
  root: string,
  keys: BatchKeys,
  types: { readonly headerType: RecordType<H>; readonly packetType: RecordType<P> },
  side: Side,
): Promise<SignedBatch<H, P>> {
  const key = createPublicKey({ key: Buffer.from(signingKeyOf(side).spki, 'base64'), format: 'der', type: 'spki' });
  const trust = { keys: fixedKeys(new Map([[`${side}-signing-key`, key]])) };
  return readBatch({ storage: new FileStorage(root), keys, ...types }, trust);
}

const validation = { headerType: validationHeader, packetType: validationPacket };
const sum = { headerType: sumPart, packetType: invalidPacket };

const withoutDigest = <H extends { readonly packet_file_digest: Uint8Array }>({
  packet_file_digest: _digest,
  ...rest
}: H) => rest;

const signatures = async (root: string): Promise<string[]> =>
  (await readdir(root, { recursive: true }).catch(() => [])).filter((name) => name.endsWith('.sig'));

/** Both forms of one command line: without and with our own validation batches. */
const OWN = [
  ['without own validation', false],
  ['with own validation', true],
] as const;

describe.each(caseNames.map((name) => [name, readCase(name)] as const))('case %s', (name, recorded) => {
  describe.each(SIDES)('%s', (side) => {
    const ownRoot = (): string => join(directory, 'own');
    const intake = async (batch: RecordedCase['batches'][number], own: boolean): Promise<number> => {
      const { status } = await runFacilitator([
        'intake-batch',
        ...commonArguments(recorded, side),
        ...['--batch-id', batch.id, '--date', batch.time, '--peer-output', join(directory, 'peer')],
        ...['--write-single-object-validation-batches', String(recorded.single_object_validation)],
        ...(own ? ['--own-output', ownRoot()] : []),
      ]);
      return status;
    };

    it('takes in what the reference takes in, with the same messages', async () => {
      for (const [i, batch] of recorded.batches.entries()) {
        const expected = recorded.reference_result.intake[side][i]!.exit;
        expect(await intake(batch, false)).toBe(expected === 0 ? 0 : 1);
        if (expected !== 0) continue;
        const keys = validationKeys(recorded.aggregation_id, { id: batch.id, time: time(batch.time) }, indexOf(side));
        const ours = await signedBatch(join(directory, 'peer'), keys, validation, side);
        if (ALTERED_VALIDATIONS.includes(name)) continue;
        const theirs = await signedBatch(`${CASES}/${name}/${side}/to-peer-validation`, keys, validation, side);
        expect(withoutDigest(ours.header)).toEqual(withoutDigest(theirs.header));
        expect([...ours.packets()]).toEqual([...theirs.packets()]);
      }
      const succeeded = recorded.reference_result.intake[side].filter(({ exit }) => exit === 0);
      expect(await signatures(join(directory, 'peer'))).toHaveLength(succeeded.length);
    });

    it.each(OWN)('sums what the reference sums, %s', async (_, own) => {
      if (own) for (const batch of recorded.batches) await intake(batch, true);
      const { exit, sum_part: expected, invalid_uuids } = recorded.reference_result.aggregate[side];
      const peer = otherSide(side);
      const portal = join(directory, 'portal');
      const { status } = await runFacilitator([
        'aggregate',
        ...commonArguments(recorded, side),
        ...recorded.batches.flatMap((batch) => ['--batch-id', batch.id, '--batch-time', batch.time]),
        ...['--aggregation-start', recorded.aggregation_start, '--aggregation-end', recorded.aggregation_end],
        ...['--peer-input', `${CASES}/${name}/${peer}/to-peer-validation`],
        ...['--peer-public-key', signingKeyOf(peer).spki, '--peer-public-key-identifier', `${peer}-signing-key`],
        ...['--portal-output', portal],
        ...(own ? ['--own-input', ownRoot()] : []),
      ]);
      // Not status 1 in every case: what is missing from the start is a matter of configuration.
      expect(status === 0).toBe(exit === 0);
      if (!expected) {
        expect(await signatures(portal)).toEqual([]);
        return;
      }
      const window = { begin: time(recorded.aggregation_start), end: time(recorded.aggregation_end) };
      const keys = sumPartKeys(recorded.instance_name, recorded.aggregation_id, window, indexOf(side));
      const { header, packets } = await signedBatch(portal, keys, sum, side);
      expect(withoutDigest(header)).toEqual({
        ...expected,
        total_individual_clients: expected.total_individual_clients - (REJECTED_PROOFS[`${name}/${side}`] ?? 0),
        aggregation_start_time: window.begin.getTime(),
        aggregation_end_time: window.end.getTime(),
      });
      expect([...packets()].map(({ uuid }) => uuid)).toEqual(invalid_uuids);
    });
  });
});
