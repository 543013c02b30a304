import { PassThrough, Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { outputOf } from '../../../common/runtime/standard-output.ts';

const failing = (code: string, after: number): { stream: Writable; written: string[] } => {
  const written: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (written.length >= after) return done(Object.assign(new Error(`write ${code}`), { code }));
      written.push(chunk.toString());
      return done();
    },
  });
  return { stream, written };
};

it('writes texts and bytes in order', async () => {
  const stream = new PassThrough();
  const read: string[] = [];
  stream.on('data', (chunk) => read.push(String(chunk)));
  const output = outputOf(stream);
  expect(await output.write('a')).toBe(true);
  expect(await output.write(Buffer.from('b'))).toBe(true);
  expect(read.join('')).toBe('ab');
});

it('takes a closed pipe as the end of the output', async () => {
  const { stream, written } = failing('EPIPE', 1);
  const output = outputOf(stream);
  expect(await output.write('a')).toBe(true);
  expect(await output.write('b')).toBe(false);
  expect(await output.write('c')).toBe(false);
  expect(written).toEqual(['a']);
});

it('so do all writes that were under way', async () => {
  const output = outputOf(failing('EPIPE', 1).stream);
  expect(await Promise.all(['a', 'b', 'c'].map((text) => output.write(text)))).toEqual([true, false, false]);
});

it('a full disk is an error', async () => {
  const output = outputOf(failing('ENOSPC', 0).stream);
  await expect(output.write('a')).rejects.toThrow('write ENOSPC');
});
