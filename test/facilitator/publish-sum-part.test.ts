import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { PermissionDenied } from '../../common/errors.ts';
import type { ObjectBody, ObjectVersion, Storage, StorageOptions } from '../../common/ports/storage.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { encodeSignature } from '../../facilitator/batch/encode-batch.ts';
import { readSumPart, type EncodedSumPart } from '../../facilitator/batch/sum-part.ts';
import type { SumPart } from '../../facilitator/codec/records.ts';
import { canSeePublished, publishSumPart, type PublishingSetup } from '../../facilitator/publish-sum-part.ts';
import { keysIn } from '../support/batches.ts';
import { memoryLogger, type MemoryLog } from '../support/memory-log.ts';
import { readOnlyStorage } from '../support/read-only-storage.ts';
import { newSigningKey, serverKeys } from '../support/servers.ts';
import { SUM_PART_KEYS as keys, sumPartWith, uuid } from '../support/sum-parts.ts';

const signingKey = serverKeys[0];
const COPY = `sum-parts/${keys.signature}`;

let portal: MemoryStorage;
let own: MemoryStorage;
let log: MemoryLog;
beforeEach(() => {
  portal = new MemoryStorage('portal');
  own = new MemoryStorage('own');
  log = memoryLogger();
});

const publish = (part = sumPartWith(), changes: Partial<PublishingSetup> = {}): Promise<boolean> =>
  publishSumPart(part, { portalOutput: portal, signingKey, log: log.log, ...changes });

/** Stores a sum part as if it had been published. */
async function store({ files }: EncodedSumPart, identifier: string = signingKey.identifier): Promise<void> {
  await portal.put(keys.packets, files.packetFile);
  await portal.put(keys.header, files.headerFile);
  await portal.put(keys.signature, encodeSignature(keys, files, identifier));
}

async function objects(storage: Storage): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const key of storage.list()) found.set(key, (await readObject(storage, key)).toString('hex'));
  return found;
}

const messages = (severity: string): unknown[] => log.lines.filter((line) => line['severity'] === severity);

/** Runs it, and expects a refusal that leaves every object as it was. */
async function expectRefused(run: () => Promise<unknown>, message: RegExp | string): Promise<void> {
  const before = [await objects(portal), await objects(own)];
  const failure = run();
  await expect(failure).rejects.toMatchObject({ code: 'E_SUM_PART', fate: 'reject' });
  await expect(failure).rejects.toThrow(message);
  expect([await objects(portal), await objects(own)]).toEqual(before);
}

describe('a sum part', () => {
  it('is published as three objects, and kept as one', async () => {
    expect(await publish(sumPartWith(), { ownOutput: own })).toBe(true);
    expect(await keysIn(portal)).toEqual([keys.packets, keys.header, keys.signature].sort());
    expect(await keysIn(own)).toEqual([COPY]);
    // What is kept can be published by copying it.
    const copied = new MemoryStorage('copied');
    await copied.put(keys.signature, await readObject(own, COPY));
    expect(await readSumPart(copied, keys, signingKey)).toEqual(await readSumPart(portal, keys, signingKey));
  });

  it.each([
    ['three objects', [keys.packets, keys.header]],
    ['a packet file', [keys.packets]],
    ['a header', [keys.header]],
  ])('takes the place of %s left without a .sig', async (_, leftovers) => {
    for (const key of leftovers) await portal.put(key, Buffer.from('left behind'));
    expect(await publish()).toBe(true);
    expect(await readSumPart(portal, keys, signingKey)).toMatchObject({ invalidUuids: [uuid('invalid')] });
    expect(log.lines).toEqual([]);
  });

  it('is not touched when it is computed again', async () => {
    await publish(sumPartWith(), { ownOutput: own });
    const [portalOutput, ownOutput] = [readOnlyStorage(portal), readOnlyStorage(own)];
    expect(await publish(sumPartWith(), { portalOutput, ownOutput })).toBe(false);
    expect(log.lines).toEqual([]);
  });

  it('without invalid packets is found without its empty packet file', async () => {
    await publish(sumPartWith({}, []));
    expect(await publish(sumPartWith({}, []), { portalOutput: readOnlyStorage(portal) })).toBe(false);
  });

  it('is published by nobody whose lease is lost', async () => {
    const signal = AbortSignal.abort(new Error('lease lost'));
    const setup = { portalOutput: portal, ownOutput: own, signingKey, log: log.log };
    await expect(publishSumPart(sumPartWith(), setup, signal)).rejects.toThrow('lease lost');
    expect([await keysIn(portal), await keysIn(own)]).toEqual([[], []]);
  });
});

describe('a published sum part that is not the one computed stays, and fails the task', () => {
  it.each<[string, Partial<SumPart>, (readonly string[])?]>([
    ['batch_uuids', { batch_uuids: [uuid('batch'), uuid('another batch')] }],
    ['batch_uuids', { batch_uuids: [] }],
    ['name', { name: 'another' }],
    ['bins', { bins: 3 }],
    ['epsilon', { epsilon: 0.110_000_000_000_000_01 }],
    ['prime', { prime: 2n ** 60n }],
    ['number_of_servers', { number_of_servers: 3 }],
    ['hamming_weight', { hamming_weight: 0 }],
    ['sum', { sum: [4_000_000_019, 8] }],
    ['aggregation_start_time', { aggregation_start_time: 0 }],
    ['aggregation_end_time', { aggregation_end_time: 2n ** 62n }],
    ['total_individual_clients', { total_individual_clients: 6 }],
    ['packet_file_digest, invalid packets', {}, []],
    ['packet_file_digest, invalid packets', {}, [uuid('another')]],
    ['packet_file_digest, invalid packets', {}, [uuid('invalid'), uuid('invalid')]],
  ])('where %s differs', async (fields, changes, invalidUuids) => {
    await store(sumPartWith(changes, invalidUuids));
    await expectRefused(
      () => publish(sumPartWith(), { ownOutput: own }),
      `differs from the one computed now in ${fields}`,
    );
    expect(messages('ERROR')).toMatchObject([{ fields: fields.split(', '), object: keys.signature }]);
  });

  it('and the log tells batches and numbers, but no share', async () => {
    await store(sumPartWith({ batch_uuids: [uuid('a'), uuid('b')], sum: [3_999_999_999, 1_234_567_891] }));
    await expectRefused(() => publish(sumPartWith({ batch_uuids: [uuid('a'), uuid('c')] })), 'batch_uuids, sum');
    expect(messages('ERROR')).toMatchObject([
      {
        batches_only_there: [uuid('b')],
        batches_only_computed: [uuid('c')],
        there: { batches: 2, packets: 5, invalid_packets: 1 },
      },
    ]);
    expect(JSON.stringify(log.lines)).not.toMatch(/3999999999|1234567891|4000000019/);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a signature file that is none', () => portal.put(keys.signature, Buffer.from('none'))],
    ['an empty signature file', () => portal.put(keys.signature, new Uint8Array(0))],
    ['a header that is none', () => portal.put(keys.header, Buffer.from('none'))],
    ['no header', () => portal.delete(keys.header)],
    ['another packet file', () => portal.put(keys.packets, sumPartWith({}, [uuid('z')]).files.packetFile)],
    ['no packet file', () => portal.delete(keys.packets)],
    ['a signature of somebody else under our name', () => store(sumPartWith({}, undefined, newSigningKey('pha-key')))],
  ])('where it has %s', async (_, damage) => {
    await store(sumPartWith({ total_individual_clients: 6 }));
    await damage();
    await expectRefused(() => publish(sumPartWith(), { ownOutput: own }), 'is not whole and sound');
  });
});

describe('a sum part that was signed by an earlier key of ours', () => {
  const earlier = newSigningKey('earlier-key');

  it('is the same if its content is, which is worth a warning', async () => {
    await store(sumPartWith({}, undefined, earlier), earlier.identifier);
    expect(await publish(sumPartWith(), { portalOutput: readOnlyStorage(portal) })).toBe(false);
    expect(messages('WARNING')).toMatchObject([{ key_identifier: 'earlier-key' }]);
  });

  it('is another if its content is', async () => {
    await store(sumPartWith({ bins: 3 }, undefined, earlier), earlier.identifier);
    await expectRefused(() => publish(), 'bins');
  });

  it('must have the packet file that its header describes', async () => {
    await store(sumPartWith({}, undefined, earlier), earlier.identifier);
    await portal.put(keys.packets, new Uint8Array(0));
    await expectRefused(() => publish(), 'is not whole and sound');
  });
});

/** A storage that calls back when an object is created, before and after. */
class CreationHooks extends MemoryStorage {
  before: (key: string) => Promise<unknown> = async () => {};
  after: (key: string) => Promise<unknown> = async () => {};

  override async createIfAbsent(
    key: string,
    body: ObjectBody,
    options?: StorageOptions,
  ): Promise<ObjectVersion | undefined> {
    await this.before(key);
    const version = await super.createIfAbsent(key, body, options);
    await this.after(key);
    return version;
  }
}

describe('an execution with another sum part', () => {
  const another = sumPartWith({ total_individual_clients: 6 }, [uuid('another')]).files;

  it('that writes its files just before our .sig, and dies, is made good', async () => {
    const hooked = new CreationHooks('portal');
    hooked.before = async (key) => {
      if (key !== keys.signature) return;
      await hooked.put(keys.header, another.headerFile);
      await hooked.put(keys.packets, another.packetFile);
    };
    expect(await publish(sumPartWith(), { portalOutput: hooked })).toBe(true);
    expect(await readSumPart(hooked, keys, signingKey)).toMatchObject({ invalidUuids: [uuid('invalid')] });
    expect(messages('WARNING')).toMatchObject([{ object: keys.packets }, { object: keys.header }]);
  });

  it('that wrote its files after our .sig, and died, is made good when ours is delivered again', async () => {
    await publish();
    const published = await objects(portal);
    await portal.put(keys.packets, another.packetFile);
    await portal.delete(keys.header);
    expect(await publish()).toBe(false);
    expect(await objects(portal)).toEqual(published);
  });

  it('that publishes while we write finds no more writes of ours', async () => {
    const hooked = new CreationHooks('portal');
    hooked.after = async (key) => {
      if (key !== keys.packets) return;
      await hooked.put(keys.packets, another.packetFile);
      await hooked.put(keys.header, another.headerFile);
      await hooked.put(keys.signature, encodeSignature(keys, another, signingKey.identifier));
    };
    await expect(publish(sumPartWith(), { portalOutput: hooked })).rejects.toMatchObject({ code: 'E_SUM_PART' });
    expect(await readSumPart(hooked, keys, signingKey)).toMatchObject({ invalidUuids: [uuid('another')] });
  });

  it('that has kept a copy keeps us from the portal', async () => {
    await publish(sumPartWith({ total_individual_clients: 6 }), { ownOutput: own });
    for (const key of await keysIn(portal)) await portal.delete(key);
    await expectRefused(
      () => publish(sumPartWith(), { ownOutput: own, portalOutput: readOnlyStorage(portal) }),
      'in memory://own differs from the one computed now in total_individual_clients',
    );
  });
});

describe('a portal that may not be read', () => {
  interface Rights {
    readonly list?: boolean;
    readonly replace?: boolean;
  }

  /** `portal` as somebody sees it who may create objects, and no more than is said. */
  function unreadable({ list = false, replace = false }: Rights = {}): Storage {
    const denied = async (): Promise<never> => {
      throw new PermissionDenied('no');
    };
    return {
      url: portal.url,
      check: (access, signal) => portal.check(access, signal),
      list: (options) => (list ? portal.list(options) : { [Symbol.asyncIterator]: () => ({ next: denied }) }),
      listFolder: (options) => portal.listFolder(options),
      get: denied,
      put: replace ? (key, body, options) => portal.put(key, body, options) : denied,
      createIfAbsent: (key, body, options) => portal.createIfAbsent(key, body, options),
      replaceIfUnchanged: denied,
      delete: denied,
    };
  }
  const blindly = (part = sumPartWith(), rights: Rights = {}): Promise<boolean> =>
    publish(part, { portalOutput: unreadable(rights), ownOutput: own });

  it('needs --own-output', async () => {
    const setup = { portalOutput: unreadable(), ownOutput: undefined };
    for (const failure of [canSeePublished(keys.signature, setup), publish(sumPartWith(), setup)]) {
      await expect(failure).rejects.toMatchObject({ code: 'E_CONFIGURATION' });
      await expect(failure).rejects.toThrow('--own-output');
    }
    expect(await keysIn(portal)).toEqual([]);
    expect(await canSeePublished(keys.signature, { ...setup, ownOutput: own })).toBe(false);
    expect(await canSeePublished(keys.signature, { portalOutput: portal })).toBe(true);
  });

  it('gets a whole sum part, once', async () => {
    expect(await blindly()).toBe(true);
    const published = await objects(portal);
    expect(await readSumPart(portal, keys, signingKey)).toMatchObject({ invalidUuids: [uuid('invalid')] });
    expect(await blindly()).toBe(false);
    expect(await objects(portal)).toEqual(published);
    expect(await keysIn(own)).toEqual([COPY]);
  });

  it.each([{}, { replace: true }, { list: true }])(
    'gets the rest of what an execution has begun (%o)',
    async (rights) => {
      await blindly();
      await portal.delete(keys.signature);
      await portal.delete(keys.header);
      expect(await blindly(sumPartWith(), rights)).toBe(true);
      await readSumPart(portal, keys, signingKey);
    },
  );

  it('has leftovers replaced, where that is allowed', async () => {
    await portal.put(keys.header, Buffer.from('left behind'));
    expect(await blindly(sumPartWith(), { replace: true })).toBe(true);
    await readSumPart(portal, keys, signingKey);
  });

  it('keeps its sum part by the copy of it', async () => {
    await blindly();
    const other = sumPartWith({ total_individual_clients: 6 });
    await expectRefused(() => blindly(other, { replace: true }), 'total_individual_clients');
    expect(messages('ERROR')).toMatchObject([{ storage: 'memory://own', object: COPY }]);
  });

  it('keeps its sum part by a copy that cannot be read as one', async () => {
    await own.put(COPY, Buffer.from('none'));
    await expectRefused(() => blindly(), 'is not whole and sound');
  });

  it('keeps a sum part that we have no copy of, where it may be listed', async () => {
    await store(sumPartWith());
    await expectRefused(() => blindly(sumPartWith(), { list: true, replace: true }), 'there is no copy of it');
  });
});
