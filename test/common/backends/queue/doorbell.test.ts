import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Doorbell } from '../../../../common/backends/queue/doorbell.ts';

/** Longer than any test may take: a wait that ends sooner was woken. */
const FOR_EVER_MS = 3_600_000;

let scratch: string;
let directory: string;
let doorbell: Doorbell;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'dsp-doorbell-'));
  directory = join(scratch, 'ready');
  doorbell = new Doorbell(directory);
});
afterEach(async () => {
  doorbell.disarm();
  await rm(scratch, { recursive: true });
});

it('rings when a file comes into the directory, which it made', async () => {
  await writeFile(join(scratch, 'file'), 'x');
  expect(await doorbell.arm()).toBe(true);
  const waiting = doorbell.wait(FOR_EVER_MS);
  await rename(join(scratch, 'file'), join(directory, 'file'));
  await waiting;
});

it('remembers that it rang, once', async () => {
  doorbell.ring();
  doorbell.ring();
  await doorbell.wait(FOR_EVER_MS);
  const waiting = doorbell.wait(FOR_EVER_MS);
  doorbell.ring();
  await waiting;
});

it('is armed only once', async () => {
  expect(await doorbell.arm()).toBe(true);
  expect(await doorbell.arm()).toBe(false);
  doorbell.disarm();
  expect(await doorbell.arm()).toBe(true);
});

it('forgets what it heard when it is disarmed', async () => {
  doorbell.ring();
  doorbell.disarm();
  await doorbell.wait(1);
});

it('watches the directory of its name anew after a wait in vain', async () => {
  await doorbell.arm();
  await rm(directory, { recursive: true });
  // The removal may ring before the time is over.
  while (!(await doorbell.arm())) await doorbell.wait(1);
  await mkdir(directory, { recursive: true });
  const waiting = doorbell.wait(FOR_EVER_MS);
  await writeFile(join(directory, 'file'), 'x');
  await waiting;
});
