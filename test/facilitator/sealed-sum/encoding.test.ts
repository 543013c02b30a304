import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { P } from '../../../facilitator/prio/field.ts';
import { MAX_BINS } from '../../../facilitator/prio/layout.ts';
import type { SealedSumContent } from '../../../facilitator/sealed-sum/content.ts';
import { decodeContent, encodeContent } from '../../../facilitator/sealed-sum/encoding.ts';
import { contents, SMALL_SUM } from '../../support/sealed-sums.ts';

const encoded = encodeContent(SMALL_SUM);

/** The small content's encoding with one 32-bit word replaced. */
function withWord(at: number, word: number): Buffer {
  const bytes = Buffer.from(encoded);
  bytes.writeUInt32LE(word, at);
  return bytes;
}

/** Where things are in the small content's encoding; docs/protocol.md, "Sealed sum". */
const AT = { version: 0, bins: 4, packets: 8, leftOut: 12, repeats: 16, payloadBytes: 20, sum: 60, positions: 72 };
const REPEATS_AT = AT.positions + 2 * 4 + 2 * 16;

describe('the content of a sealed sum', () => {
  it('comes back as it was, from bytes at any offset', () => {
    fc.assert(
      fc.property(contents, fc.integer({ min: 0, max: 7 }), (content, offset) => {
        const shifted = Buffer.concat([Buffer.alloc(offset), encodeContent(content)]).subarray(offset);
        expect(decodeContent(shifted)).toEqual({ kind: 'content', content });
      }),
      { numRuns: 100 },
    );
  });

  it('has the length that the documentation says, and not a byte of slack', () => {
    expect(encoded).toHaveLength(60 + 4 * 3 + 20 * 2 + 4 * 2);
    expect(decodeContent(encoded.subarray(0, -1))).toMatchObject({ kind: 'malformed' });
    expect(decodeContent(Buffer.concat([encoded, Buffer.alloc(1)]))).toMatchObject({ kind: 'malformed' });
  });

  it.each([
    ['another version', withWord(AT.version, 2), 'the content is of version 2'],
    ['no packets', withWord(AT.packets, 0), '0 packets'],
    ['more bins than there are bytes for', withWord(AT.bins, 4), 'the counts make 124'],
    ['all the bins in the world', withWord(AT.bins, 0xffffffff), 'the counts make'],
    ['all the packets in the world left out', withWord(AT.leftOut, 0xffffffff), 'the counts make'],
    ['all the packets in the world repeated', withWord(AT.repeats, 0xffffffff), 'the counts make'],
    ['a count that takes from another', withWord(AT.repeats, 1), 'the counts make 116'],
    ['payloads of 2^53 bytes', withWord(AT.payloadBytes + 4, 2 ** 21), '9007199254741556 bytes of payloads'],
    ['an element of p', withWord(AT.sum, P), `not below ${P}`],
    ['packets left out in another order', withWord(AT.positions, 4), 'left out do not ascend below 5'],
    ['a packet left out twice', withWord(AT.positions + 4, 1), 'left out do not ascend below 5'],
    ['a packet left out that is not there', withWord(AT.positions + 4, 5), 'left out do not ascend below 5'],
    ['repeats in another order', withWord(REPEATS_AT, 4), 'repeats do not ascend below 5'],
    ['a repeat that is not there', withWord(REPEATS_AT + 4, 5), 'repeats do not ascend below 5'],
    ['the first packet as a repeat', withWord(REPEATS_AT, 0), 'the first packet is a repeat'],
    ['nothing', new Uint8Array(0), '0 bytes are too few'],
    ['a head cut short', encoded.subarray(0, 59), '59 bytes are too few'],
  ])('is not read with %s', (_, bytes, why) => {
    expect(decodeContent(bytes)).toEqual({ kind: 'malformed', why: expect.stringContaining(why) });
  });

  const several: readonly [string, Partial<SealedSumContent>][] = [
    ['no bins', { bins: 0, sum: new Uint32Array(0) }],
    ['too many bins', { bins: MAX_BINS + 1, sum: new Uint32Array(MAX_BINS + 1) }],
    ['a sum for other bins', { bins: 2 }],
    ['a fraction of a packet', { packets: 5.5 }],
    ['2^32 packets', { packets: 2 ** 32 }],
    ['no packets', { packets: 0 }],
    ['negative payloads', { payloadBytes: -1 }],
    ['payloads of 2^53 bytes', { payloadBytes: 2 ** 53 }],
    ['an element that is not reduced', { sum: Uint32Array.of(1, P, 2) }],
    ['a short digest', { validationDigest: new Uint8Array(31) }],
    ['half a UUID', { leftOut: { positions: Uint32Array.of(1), uuids: new Uint8Array(8) } }],
    ['positions that descend', { repeats: Uint32Array.of(4, 3) }],
    ['a position beyond the batch', { repeats: Uint32Array.of(5) }],
  ];
  it.each(several)('is not written with %s, as it could not be read again', (_, change) => {
    expect(() => encodeContent({ ...SMALL_SUM, ...change })).toThrow(RangeError);
  });

  it('may be of as many bins as there can be', () => {
    const content = { ...SMALL_SUM, bins: MAX_BINS, sum: new Uint32Array(MAX_BINS).fill(P - 1) };
    const decoded = decodeContent(encodeContent(content));
    expect(
      decoded.kind === 'content' && Buffer.from(decoded.content.sum.buffer).equals(Buffer.from(content.sum.buffer)),
    ).toBe(true);
  });
});

describe('hostile plaintexts', () => {
  const words = fc.uint32Array({ minLength: 15, maxLength: 60 });
  /** A head that passes for one, any counts, any bytes behind. */
  const heads = fc
    .tuple(words, fc.constantFrom(0, 1, 3, 2 ** 20, 2 ** 28, 0xffffffff), fc.nat({ max: 8 }), fc.nat({ max: 8 }))
    .map(([rest, bins, leftOut, repeats]) => {
      const head = Uint32Array.from(rest);
      head.set([1, bins, head[2]!, leftOut, repeats]);
      return new Uint8Array(head.buffer);
    });
  const mutations = fc.tuple(contents, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([content, at, byte]) => {
    const bytes = encodeContent(content);
    bytes[at % bytes.length] = byte;
    return bytes;
  });

  it('never throw, and what is read from them takes no more than they do and is written the same again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), heads, mutations), (bytes) => {
        const decoded = decodeContent(bytes);
        if (decoded.kind === 'malformed') return;
        const { sum, leftOut, repeats, validationDigest } = decoded.content;
        const arrays = [sum, leftOut.positions, leftOut.uuids, repeats, validationDigest];
        expect(arrays.reduce((total, { buffer }) => total + buffer.byteLength, 0)).toBeLessThan(bytes.length);
        expect(encodeContent(decoded.content).equals(bytes)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('take no memory for what they only claim to hold', () => {
    const claims = [AT.bins, AT.leftOut, AT.repeats].map((at) => withWord(at, 2 ** 24));
    const before = process.memoryUsage().arrayBuffers;
    for (const bytes of claims) expect(decodeContent(bytes).kind).toBe('malformed');
    // Any one of them, believed, would take 64 MiB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});
