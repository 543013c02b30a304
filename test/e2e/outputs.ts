import { createHash } from 'node:crypto';
import { openStorage } from '../../common/backends/storage/open.ts';
import { sealedSumKey, sumPartKeys, validationKeys, type BatchKeys } from '../../common/domain/batch-path.ts';
import type { Storage } from '../../common/ports/storage.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { isFirst, otherServer, SERVERS } from '../../deploy/local/places.ts';
import { readSingleRecord } from '../../facilitator/codec/read.ts';
import { batchSignature } from '../../facilitator/codec/record-types.ts';
import { COPY_PREFIX } from '../../facilitator/publish-sum-part.ts';
import type { Input } from './input.ts';
import type { World } from './world.ts';

/** What markers and claims of the publisher begin with; they tell of runs, and differ with them. */
const OF_THE_PUBLISHER = /^task-/;

/** Every object that the servers have written, by bucket and key, as a digest; of signatures all but their values. */
export async function outputsOf(world: World): Promise<Map<string, string>> {
  const outputs = new Map<string, string>();
  const collect = async (name: string, storage: Storage): Promise<void> => {
    for await (const key of storage.list()) {
      if (OF_THE_PUBLISHER.test(key)) continue;
      const bytes = await readObject(storage, key);
      outputs.set(`${name}/${key}`, key.endsWith('.sig') ? signatureWithoutValue(bytes) : digest(bytes));
    }
  };
  for (const server of SERVERS) {
    await collect(`${server} own`, world.storage(server, 'ownValidation'));
    await collect(`${server} peer`, world.storage(server, 'peerValidation'));
  }
  await collect('portal', openStorage(world.places.portal));
  return outputs;
}

/** The names of what each server is to write, as in `outputsOf`, sorted. */
export function outputNames({ aggregations, window }: Input): string[] {
  return SERVERS.flatMap((server) => {
    const writer = isFirst(server) ? 0 : 1;
    return aggregations.flatMap(({ id, batches }) => {
      const sum = sumPartKeys('e2e', id, window, writer);
      const validations = batches.flatMap((batch) => keysOf(validationKeys(id, batch, writer)));
      return [
        ...validations.map((key) => `${server} own/${key}`),
        ...validations.map((key) => `${otherServer(server)} peer/${key}`),
        ...keysOf(sum).map((key) => `portal/${key}`),
        ...batches.map((batch) => `${server} own/${sealedSumKey(id, batch, writer)}`),
        `${server} own/${COPY_PREFIX}${sum.signature}`,
      ];
    });
  }).sort();
}

const keysOf = ({ header, packets, signature }: BatchKeys): string[] => [header, packets, signature];

function signatureWithoutValue(file: Uint8Array): string {
  const { batch_header, packets, key_identifier } = readSingleRecord(batchSignature, file).record;
  const parts = [batch_header, packets].map((bytes) => (bytes ? digest(bytes) : 'none'));
  return ['signature by', key_identifier, ...parts].join(' ');
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
