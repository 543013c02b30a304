import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { ingestionKeys, validationKeys } from '../../common/domain/batch-path.ts';
import type { StorageOptions, StoredObject } from '../../common/ports/storage.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { aggregate } from '../../facilitator/aggregate.ts';
import { keysIn, storeIngestionBatch } from '../support/batches.ts';
import { BINS, batchId, contributions, honest, packetsFor, takeInAtBoth } from '../support/honest-batch.ts';
import { memoryLogger, type MemoryLog } from '../support/memory-log.ts';
import { AGGREGATION, aggregateSetup, newWorld, WINDOW, type World } from '../support/servers.ts';

/** A storage that is replaced by another, object for object, when a key is read for the second time. */
class ReplacedStorage extends MemoryStorage {
  readonly #key: string;
  readonly #replacement: MemoryStorage;
  reads = 0;

  constructor(key: string, replacement: MemoryStorage) {
    super('replaced');
    this.#key = key;
    this.#replacement = replacement;
  }

  override async get(key: string, options?: StorageOptions): Promise<StoredObject> {
    if (key === this.#key) this.reads++;
    return this.reads > 1 ? this.#replacement.get(key, options) : super.get(key, options);
  }
}

async function copy(from: MemoryStorage, to: MemoryStorage): Promise<void> {
  for (const key of await keysIn(from)) await to.put(key, await readObject(from, key));
}

const [OLD, NEW] = [{ epsilon: 0.12 }, {}];
const peerKey = validationKeys(AGGREGATION, batchId(0), 1).signature;
const ingestionKey = ingestionKeys(AGGREGATION, batchId(0)).signature;

/** Both servers after intake of a batch that the ingestion server gave the one and the other with these parameters. */
async function takenIn(...parameters: readonly [object, object]): Promise<World> {
  const world = newWorld();
  const made = contributions(0, honest(3));
  for (const server of [0, 1] as const) {
    await storeIngestionBatch(world, server, batchId(0), BINS, packetsFor(server, 0, made), parameters[server]);
  }
  await takeInAtBoth(world, 0);
  return world;
}

let log: MemoryLog;
let portal: MemoryStorage;
beforeEach(() => {
  log = memoryLogger();
  portal = new MemoryStorage('portal');
});

const run = (world: World, changes: Parameters<typeof aggregateSetup>[3]): Promise<unknown> =>
  aggregate(
    { aggregationId: AGGREGATION, window: WINDOW, batches: [batchId(0)] },
    aggregateSetup(world, 0, portal, { log: log.log, ...changes }),
  );

const readAgain = (): unknown[] => log.lines.filter(({ message }) => /reading both again/.test(String(message)));

describe('headers of ingestion and peer that differ', () => {
  it('are read again, and agree if the peer wrote a new validation in between', async () => {
    const world = await takenIn(NEW, NEW);
    const peerInput = new ReplacedStorage(peerKey, world.peerValidation[0]);
    await copy((await takenIn(NEW, OLD)).peerValidation[0], peerInput);
    await run(world, { peerInput });
    expect(await keysIn(portal)).toHaveLength(3);
    expect(readAgain()).toMatchObject([{ severity: 'WARNING', fields: ['epsilon'], batch_id: batchId(0).id }]);
  });

  it('are read again, and agree if the ingestion batch was replaced in between', async () => {
    const world = await takenIn(NEW, NEW);
    const ingestorInput = new ReplacedStorage(ingestionKey, world.ingestion[0]);
    await copy((await takenIn(OLD, NEW)).ingestion[0], ingestorInput);
    await run(world, { ingestorInput, ownInput: undefined });
    expect(await keysIn(portal)).toHaveLength(3);
    expect(ingestorInput.reads).toBe(2);
  });

  it('are rejected if they still do', async () => {
    const world = await takenIn(NEW, OLD);
    const peerInput = new ReplacedStorage(peerKey, world.peerValidation[0]);
    await copy(world.peerValidation[0], peerInput);
    await expect(run(world, { peerInput })).rejects.toMatchObject({ code: 'E_HEADERS_DIFFER', fate: 'reject' });
    expect(peerInput.reads).toBe(2);
    expect(await keysIn(portal)).toEqual([]);
  });

  it('are retried if the peer’s validation is gone when it is read again', async () => {
    const world = await takenIn(NEW, OLD);
    const peerInput = new ReplacedStorage(peerKey, new MemoryStorage('empty'));
    await copy(world.peerValidation[0], peerInput);
    await expect(run(world, { peerInput })).rejects.toMatchObject({ code: 'E_PEER_VALIDATION', fate: 'retry' });
  });
});

it('headers that agree are read once', async () => {
  const world = await takenIn(NEW, NEW);
  const peerInput = new ReplacedStorage(peerKey, new MemoryStorage('empty'));
  await copy(world.peerValidation[0], peerInput);
  await run(world, { peerInput });
  expect(peerInput.reads).toBe(1);
  expect(readAgain()).toEqual([]);
});
