import { afterAll, describe, expect, it } from 'vitest';
import { unpackShare } from '../../../facilitator/prio/share.ts';
import { shareLayout } from '../../../facilitator/prio/layout.ts';
import { accumulate } from '../../../facilitator/prio/sum.ts';
import { ShareEvaluator } from '../../../facilitator/prio/verification.ts';
import type { DataSharePacket } from '../../../facilitator/codec/records.ts';
import { uuidBytes } from '../../../common/domain/uuid.ts';
import type { ServerIndex } from '../../../common/domain/batch-path.ts';
import { InlineEngine } from '../../../facilitator/packets/inline-engine.ts';
import { loadKernel } from '../../../facilitator/packets/kernel-file.ts';
import { openInOrder } from '../../../facilitator/packets/in-order.ts';
import type { PacketChunk } from '../../../facilitator/packets/packet-chunk.ts';
import type { BatchContext, PacketEngine } from '../../../facilitator/packets/packet-engine.ts';
import { ThreadPoolEngine } from '../../../facilitator/packets/thread-pool-engine.ts';
import { KernelEvaluator } from '../../../facilitator/prio/kernel-evaluator.ts';
import { chunksOf } from '../../support/chunks.ts';
import { contribute, type Behaviour } from '../../support/contribution.ts';
import { packetUuid } from '../../support/honest-batch.ts';
import { packetKeys } from '../../support/servers.ts';

const BINS = 12;
const PACKETS = 1400;
const layout = shareLayout(BINS);

const engines: readonly (readonly [string, PacketEngine])[] = [
  ['the calling thread, TypeScript', new InlineEngine()],
  [
    'the calling thread, WebAssembly',
    new InlineEngine((layout, isFirst) => new KernelEvaluator(loadKernel(), layout, isFirst)),
  ],
  ['1 thread, WebAssembly', new ThreadPoolEngine({ threads: 1, evaluation: 'webassembly' })],
  ['3 threads, WebAssembly', new ThreadPoolEngine({ threads: 3, evaluation: 'webassembly' })],
  ['2 threads, TypeScript', new ThreadPoolEngine({ threads: 2, evaluation: 'typescript' })],
];

afterAll(async () => {
  for (const [, engine] of engines) await engine[Symbol.asyncDispose]();
});

const contextOf = (server: ServerIndex): BatchContext => ({
  bins: BINS,
  server,
  decryptors: packetKeys[server].map(({ decryptor }) => decryptor),
});

const BEHAVIOURS: readonly Behaviour[] = ['honest', 'second key', 'root of unity', 'honest', 'cheating'];
const made = BEHAVIOURS.map((behaviour, i) => contribute(behaviour, BINS, `engine ${i}`, packetKeys));

function packetsOf(server: ServerIndex): DataSharePacket[] {
  return Array.from({ length: PACKETS }, (_, i) => {
    const { payloads, rPits } = made[i % made.length]!;
    return {
      uuid: packetUuid(0, i),
      encrypted_payload: payloads[server],
      encryption_key_id: null,
      r_pit: rPits[server],
      version_configuration: null,
      device_nonce: null,
    };
  });
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

describe.each(engines)('%s', (_, engine) => {
  describe.each([0, 1] as const)('for server %i', (server) => {
    const packets = packetsOf(server);
    const context = contextOf(server);

    it('opens every packet as the model does, in file order', async () => {
      const chunks = await chunksOf(packets);
      expect(chunks.length).toBeGreaterThan(1);
      const evaluator = new ShareEvaluator(layout, server === 0);
      let at = 0;
      for await (const { chunk, opened } of openInOrder(each(chunks), context, engine)) {
        const sum = new Uint32Array(BINS);
        const uses = [0, 0];
        for (let i = 0; i < opened.count; i++, at++) {
          const packet = packets[at]!;
          const payload = packet.encrypted_payload;
          const key = packetKeys[server].findIndex(({ decryptor }) => decryptor.decrypt(payload));
          const share = unpackShare(packetKeys[server][key]!.decryptor.decrypt(payload)!, layout, server === 0);
          const message = evaluator.evaluate(share, Number(packet.r_pit));
          if (message) accumulate(sum, share);
          uses[key]!++;
          expect(opened.told[i]).toBe(message ? 1 : 0);
          expect([...opened.messages.subarray(3 * i, 3 * i + 3)]).toEqual(
            message ? [message.f_r, message.g_r, message.h_r] : [0, 0, 0],
          );
          expect(Buffer.from(opened.uuids.subarray(16 * i, 16 * i + 16))).toEqual(uuidBytes(packet.uuid));
        }
        expect(opened.sum).toEqual(sum);
        expect(opened.keyUses).toEqual(uses);
        const wanted = Uint32Array.from([0, 1, opened.count - 1].filter((i, n, all) => all.indexOf(i) === n));
        const some = await engine.sumOf(chunk, wanted, context);
        expect(some.messages).toEqual(
          Uint32Array.from([...wanted].flatMap((i) => [...opened.messages.subarray(3 * i, 3 * i + 3)])),
        );
        await engine.check(chunk);
      }
      expect(at).toBe(PACKETS);
    });

    it.each<[string, Partial<DataSharePacket>, string]>([
      ['a payload for nobody', { encrypted_payload: Buffer.alloc(200, 4) }, 'PacketUndecryptable'],
      ['an r_pit out of range', { r_pit: -1 }, 'RPitOutOfRange'],
    ])('reports the first packet that does not open: %s', async (_, change, name) => {
      // Two bad packets, far enough apart to be opened at the same time.
      const bad = packets.map((packet, i) => (i === 300 || i === 690 ? { ...packet, ...change } : packet));
      const opening = drain(openInOrder(each(await chunksOf(bad)), context, engine));
      await expect(opening).rejects.toMatchObject({
        name,
        message: expect.stringContaining(packetUuid(0, 300)) as string,
      });
    });

    it('reports an unsound file before a packet that does not open', async () => {
      const bad = packets.map((packet, i) =>
        i === 3 ? { ...packet, encrypted_payload: Buffer.alloc(200, 4) } : packet,
      );
      const chunks = await chunksOf(bad);
      const opening = drain(openInOrder(each([...chunks.slice(0, -1), cut(chunks.at(-1)!)]), context, engine));
      await expect(opening).rejects.toMatchObject({ code: 'E_AVRO_MALFORMED' });
    });

    it('opens nothing more once it is aborted', async () => {
      const stop = new AbortController();
      const opening = openInOrder(each(await chunksOf(packets)), context, engine, stop.signal);
      await opening.next();
      stop.abort(new Error('enough'));
      await expect(drain(opening)).rejects.toThrow('enough');
    });
  });
});

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

/** The same chunk, its last block without its last byte. */
function cut({ format, blocks }: PacketChunk): PacketChunk {
  return {
    format,
    blocks: blocks.map((block, i) => (i < blocks.length - 1 ? block : { ...block, bytes: block.bytes.slice(0, -1) })),
  };
}
