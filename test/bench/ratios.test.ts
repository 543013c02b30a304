import { createECDH } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spreadOf } from '../../bench/statistics.ts';
import { ChunkOpener } from '../../facilitator/packets/chunk-opener.ts';
import { loadKernel } from '../../facilitator/packets/kernel-file.ts';
import type { BlockEvaluator } from '../../facilitator/prio/block-evaluator.ts';
import { KernelEvaluator } from '../../facilitator/prio/kernel-evaluator.ts';
import { shareLayout } from '../../facilitator/prio/layout.ts';
import { ModelEvaluator } from '../../facilitator/prio/model-evaluator.ts';
import { chunksOf } from '../support/chunks.ts';
import { contribute } from '../support/contribution.ts';
import { packetKeys } from '../support/servers.ts';
import { plainShares } from '../support/shares.ts';

/*
 * What `npm run bench` measures, held by ratios that do not depend on the machine. The limits are generous, about half
 * of what is gained: they are there to catch a slip that makes the packets' path slow, not to measure it.
 */

const ROUNDS = 7;
const PACKETS = 64;
/** Intake as a multiple of its ECDH calls; 1.15 to 1.25 is found. */
const MOST = 1.6;

/** Processor time of this process, which other processes do not lengthen as they do wall time. */
function cpuUs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** The median over rounds of the cost of `a` as a multiple of that of `b`, after a warm-up. */
function medianRatio(a: () => void, b: () => void): number {
  for (let i = 0; i < 3; i++) {
    a();
    b();
  }
  return spreadOf(Array.from({ length: ROUNDS }, () => cpuUs(a) / cpuUs(b))).median;
}

const repeat = (times: number, work: () => void) => (): void => {
  for (let i = 0; i < times; i++) work();
};

describe.each([
  { bins: 20, server: 'first', isFirst: true, least: 6 },
  { bins: 20, server: 'second', isFirst: false, least: 1.5 },
  { bins: 250, server: 'first', isFirst: true, least: 10 },
  { bins: 250, server: 'second', isFirst: false, least: 3 },
])('evaluation of $bins bins by the $server server', ({ bins, isFirst, least }) => {
  it(`costs in TypeScript at least ${least} times what it costs in WebAssembly`, () => {
    const layout = shareLayout(bins);
    const plains = fc.sample(plainShares(layout, isFirst), { numRuns: PACKETS, seed: bins });
    const all = new Uint8Array(PACKETS).fill(1);
    const evaluation = (evaluator: BlockEvaluator): (() => void) => {
      const sum = new Uint32Array(bins);
      // Each packet has a point of its own, for which nothing can be kept from the one before.
      const rPits = Uint32Array.from({ length: PACKETS }, (_, i) => 1_000_003 * (i + 1));
      return repeat(bins < 100 ? 16 : 8, () => {
        for (let begin = 0; begin < PACKETS; begin += evaluator.capacity) {
          const points = rPits.subarray(begin, begin + evaluator.capacity);
          for (let i = 0; i < points.length; i++) evaluator.load(i, plains[begin + i]!); // of PACKETS
          evaluator.evaluate(points);
          evaluator.accumulate(all.subarray(0, points.length), sum);
        }
      });
    };
    const model = evaluation(new ModelEvaluator(layout, isFirst));
    const kernel = evaluation(new KernelEvaluator(loadKernel(), layout, isFirst));
    expect(medianRatio(model, kernel)).toBeGreaterThan(least);
  });
});

describe.each([20, 250])('intake of packets of %i bins', (bins) => {
  it.each([0, 1] as const)(`costs server %i at most ${MOST} times what the ECDH call alone does`, async (server) => {
    const made = Array.from({ length: PACKETS }, (_, i) => contribute('honest', bins, `ratio ${i}`, packetKeys));
    const chunks = await chunksOf(
      made.map(({ payloads, rPits }, i) => ({
        uuid: `0d1f9d3c-4e5a-4b6c-8d7e-${String(i).padStart(12, '0')}`,
        encrypted_payload: payloads[server],
        encryption_key_id: null,
        r_pit: rPits[server],
        version_configuration: null,
        device_nonce: null,
      })),
    );
    const key = packetKeys[server][0];
    const opener = new ChunkOpener(new KernelEvaluator(loadKernel(), shareLayout(bins), server === 0), [key.decryptor]);
    const ecdh = createECDH('prime256v1');
    ecdh.setPrivateKey(key.scalar);
    const points = made.map(({ payloads }) => payloads[server].subarray(0, 65));
    const intake = repeat(4, () => {
      for (const chunk of chunks) opener.open(chunk);
    });
    const floor = repeat(4, () => {
      for (const point of points) ecdh.computeSecret(point);
    });
    expect(medianRatio(intake, floor)).toBeLessThan(MOST);
  });
});
