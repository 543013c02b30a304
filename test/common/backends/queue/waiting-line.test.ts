import { beforeEach, expect, it } from 'vitest';
import { WaitingLine, type Supply } from '../../../../common/backends/queue/waiting-line.ts';

/** A supply whose every step the test decides. */
class Shelf implements Supply<string> {
  readonly items: string[] = [];
  readonly log: string[] = [];
  /** While set, `take` waits for it. */
  gate: Promise<unknown> = Promise.resolve();
  failure: Error | undefined;
  #woken = false;
  #wake = (): void => {};

  async take(): Promise<string | undefined> {
    const item = this.items.shift();
    await this.gate;
    if (this.failure) throw this.failure;
    return item;
  }

  async putBack(item: string): Promise<void> {
    this.log.push(`put back ${item}`);
    if (this.failure) throw this.failure;
    this.items.unshift(item);
  }

  idle(): Promise<void> {
    this.log.push('idle');
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#woken = false;
        resolve();
      };
      if (this.#woken) this.#wake();
    });
  }

  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  rest(): void {
    this.log.push('rest');
  }
}

const never = new AbortController().signal;

let shelf: Shelf;
let line: WaitingLine<string>;
beforeEach(() => {
  shelf = new Shelf();
  line = new WaitingLine(shelf);
});

/** Makes `take` wait. @returns lets it go on */
function close(): () => void {
  let open = (): void => {};
  shelf.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return open;
}

it('serves in the order of arrival, and rests when nobody waits', async () => {
  shelf.items.push('a', 'b', 'c');
  expect(await Promise.all([line.wait(never), line.wait(never), line.wait(never)])).toEqual(['a', 'b', 'c']);
  expect(shelf.log).toEqual(['rest']);
});

it('looks again when woken', async () => {
  const waiting = line.wait(never);
  await expect.poll(() => shelf.log).toEqual(['idle']);
  shelf.items.push('late');
  shelf.wake();
  expect(await waiting).toBe('late');
});

it('puts back what was taken for somebody who has gone, before that one is told', async () => {
  shelf.items.push('a');
  const open = close();
  const controller = new AbortController();
  const waiting = line.wait(controller.signal);
  controller.abort();
  open();
  expect(await waiting).toBeUndefined();
  expect(shelf.items).toEqual(['a']);
  expect(shelf.log[0]).toBe('put back a');
});

it('gives what was taken for somebody who has gone to the next in line', async () => {
  shelf.items.push('a');
  const open = close();
  const controller = new AbortController();
  const waiting = [line.wait(controller.signal), line.wait(never)];
  controller.abort();
  open();
  expect(await Promise.all(waiting)).toEqual([undefined, 'a']);
});

it('serves somebody who comes after all others have gone', async () => {
  const controller = new AbortController();
  const gone = line.wait(controller.signal);
  controller.abort();
  const waiting = line.wait(never);
  shelf.items.push('a');
  shelf.wake();
  expect(await gone).toBeUndefined();
  expect(await waiting).toBe('a');
});

it('tells a failure to everybody who waits, and begins anew with the next', async () => {
  shelf.failure = new Error('disk');
  const waiting = [line.wait(never), line.wait(never)];
  expect(await Promise.allSettled(waiting)).toEqual(waiting.map(() => ({ status: 'rejected', reason: shelf.failure })));
  shelf.failure = undefined;
  shelf.items.push('a');
  expect(await line.wait(never)).toBe('a');
});

it('tells somebody who goes if the item taken for him could not be put back', async () => {
  shelf.items.push('a');
  const open = close();
  const controller = new AbortController();
  const waiting = line.wait(controller.signal);
  controller.abort();
  shelf.failure = new Error('disk');
  open();
  await expect(waiting).rejects.toBe(shelf.failure);
});

it('sends everybody away', async () => {
  const waiting = [line.wait(never), line.wait(never)];
  await line.dismiss();
  expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
  expect(await line.wait(AbortSignal.abort())).toBeUndefined();
});
