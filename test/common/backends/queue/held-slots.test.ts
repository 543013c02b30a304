import { describe, expect, it } from 'vitest';
import { HeldSlots } from '../../../../common/backends/queue/held-slots.ts';

const patient = (): AbortSignal => new AbortController().signal;

describe('slots', () => {
  it('are as many as there are, and go to those who wait in the order in which they came', async () => {
    const slots = new HeldSlots(2);
    const [first, second] = [await slots.take(patient()), await slots.take(patient())];
    const served: string[] = [];
    const third = slots.take(patient()).then((slot) => (served.push('third'), slot));
    const fourth = slots.take(patient()).then((slot) => (served.push('fourth'), slot));
    expect(served).toEqual([]);
    second?.free();
    expect(await third).toBeDefined();
    expect(served).toEqual(['third']);
    first?.free();
    expect(await fourth).toBeDefined();
  });

  it('are freed once, however often they are told', async () => {
    const slots = new HeldSlots(1);
    const slot = await slots.take(patient());
    slot?.free();
    slot?.free();
    expect(await slots.take(patient())).toBeDefined();
    const leaver = new AbortController();
    const waiting = slots.take(leaver.signal);
    leaver.abort();
    expect(await waiting).toBeUndefined();
  });

  it('are not for those who go, nor lost with them', async () => {
    const slots = new HeldSlots(1);
    expect(await slots.take(AbortSignal.abort())).toBeUndefined();
    const slot = await slots.take(patient());
    const leaver = new AbortController();
    const leaving = slots.take(leaver.signal);
    const staying = slots.take(patient());
    leaver.abort();
    slot?.free();
    expect(await leaving).toBeUndefined();
    expect(await staying).toBeDefined();
  });

  it.each([0, -1, 1.5, NaN])('are not %d', (count) => {
    expect(() => new HeldSlots(count)).toThrow(RangeError);
  });
});
