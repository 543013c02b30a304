import * as fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../common/backends/storage/memory.ts';
import { readObject } from '../../common/runtime/read-object.ts';
import { readSumPart, type EncodedSumPart } from '../../facilitator/batch/sum-part.ts';
import { publishSumPart } from '../../facilitator/publish-sum-part.ts';
import { keysIn } from '../support/batches.ts';
import { ContentVersionStorage } from '../support/content-version-storage.ts';
import { interleaved, Schedule } from '../support/interleaved-storage.ts';
import { serverKeys } from '../support/servers.ts';
import { SUM_PART_KEYS as keys, sumPartWith, uuid } from '../support/sum-parts.ts';

const signingKey = serverKeys[0];
const log = pino({ level: 'silent' });

/** The sum part of a task that lists batches as `content` says. */
const partOf = (content: number): EncodedSumPart =>
  sumPartWith({ batch_uuids: [uuid(`batch ${content}`)], sum: [content, 7] }, [uuid(`invalid ${content}`)]);

/** What an earlier execution, of the content 2, may have left behind. */
const LEFTOVERS = ['nothing', 'packets', 'packets and header', 'header'] as const;

interface Storages {
  readonly versions: 'numbered' | 'by content';
  readonly hasOwnOutput: boolean;
  readonly leftover: (typeof LEFTOVERS)[number];
}

const storages: fc.Arbitrary<Storages> = fc.record({
  versions: fc.constantFrom('numbered' as const, 'by content' as const),
  hasOwnOutput: fc.boolean(),
  leftover: fc.constantFrom(...LEFTOVERS),
});
const order = fc.array(fc.nat({ max: 2 }), { minLength: 20, maxLength: 80 });
/** How many operations an execution does before it is killed. */
const lifetime = fc.option(fc.nat({ max: 16 }), { nil: Infinity });

interface World {
  readonly portal: MemoryStorage;
  readonly own: MemoryStorage | undefined;
}

async function newWorld({ versions, hasOwnOutput, leftover }: Storages): Promise<World> {
  const make = (name: string): MemoryStorage =>
    versions === 'by content' ? new ContentVersionStorage(name) : new MemoryStorage(name);
  const portal = make('portal');
  const { files } = partOf(2);
  if (leftover.startsWith('packets')) await portal.put(keys.packets, files.packetFile);
  if (leftover.endsWith('header')) await portal.put(keys.header, files.headerFile);
  return { portal, own: hasOwnOutput ? make('own') : undefined };
}

/** Whether each execution has published, or how it failed. */
async function publishAll(
  { portal, own }: World,
  contents: readonly number[],
  turns: readonly number[],
  lifetimes: readonly number[] = [],
): Promise<PromiseSettledResult<boolean>[]> {
  const schedule = new Schedule(turns);
  const executions = contents.map((content, i) => (turn: number) => {
    let left = lifetimes[i] ?? Infinity;
    const live = (): void => {
      if (left-- <= 0) throw new Error('killed');
    };
    const portalOutput = interleaved(portal, schedule, turn, live);
    const ownOutput = own && interleaved(own, schedule, turn, live);
    return publishSumPart(partOf(content), { portalOutput, ownOutput, signingKey, log });
  });
  return schedule.run(executions);
}

/** Which of the contents is published, as a whole and to the byte. */
async function publishedIn({ portal }: World, contents: readonly number[]): Promise<number> {
  const { header, invalidUuids } = await readSumPart(portal, keys, signingKey);
  const content = contents.find((candidate) => header.batch_uuids[0] === uuid(`batch ${candidate}`))!;
  const part = partOf(content);
  expect(invalidUuids).toEqual(part.invalidUuids);
  expect(await readObject(portal, keys.header)).toEqual(part.files.headerFile);
  expect(await readObject(portal, keys.packets)).toEqual(part.files.packetFile);
  return content;
}

const succeeded = { status: 'fulfilled' };
const contradicted = { status: 'rejected', reason: { code: 'E_SUM_PART', fate: 'reject' } };

describe.each([
  ['two executions that computed different sum parts', [0, 1]],
  ['two executions that computed the same', [0, 0]],
  ['three executions, of which two computed the same', [0, 1, 0]],
])('%s, in any interleaving of what they do to the storages', (_, contents) => {
  it('publish one sum part as a whole, once, and all others fail', async () => {
    await fc.assert(
      fc.asyncProperty(storages, order, async (storage, turns) => {
        const world = await newWorld(storage);
        const ends = await publishAll(world, contents, turns);
        const published = await publishedIn(world, contents);
        expect(ends).toMatchObject(contents.map((content) => (content === published ? succeeded : contradicted)));
        expect(ends.filter((end) => end.status === 'fulfilled' && end.value)).toHaveLength(1);
        if (world.own) expect(await keysIn(world.own)).toEqual([`sum-parts/${keys.signature}`]);
      }),
      { numRuns: 200 },
    );
  });

  it('come to that, too, if they are killed anywhere and each is delivered again', async () => {
    const lifetimes = fc.tuple(lifetime, lifetime, lifetime);
    await fc.assert(
      fc.asyncProperty(storages, order, lifetimes, async (storage, turns, lives) => {
        const world = await newWorld(storage);
        await publishAll(world, contents, turns, lives);
        const again: PromiseSettledResult<boolean>[] = [];
        for (const content of contents) again.push(...(await publishAll(world, [content], [])));
        const published = await publishedIn(world, contents);
        expect(again).toMatchObject(contents.map((content) => (content === published ? succeeded : contradicted)));
      }),
      { numRuns: 200 },
    );
  });
});
