import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { FileStorage } from '../../../../common/backends/storage/file.ts';
import { MemoryStorage } from '../../../../common/backends/storage/memory.ts';
import { openStorage } from '../../../../common/backends/storage/open.ts';
import { UsageError } from '../../../../common/errors.ts';

it.each([
  ['file:///var/lib/dsp', 'file:///var/lib/dsp'],
  ['FILE:///var/lib/dsp', 'file:///var/lib/dsp'],
  ['file:///a%20b/%C3%A4', 'file:///a%20b/%C3%A4'],
  ['/var/lib/dsp', 'file:///var/lib/dsp'],
  ['/what?', 'file:///what%3F'],
  ['data', pathToFileURL(join(process.cwd(), 'data')).href],
  ['./a:b', pathToFileURL(join(process.cwd(), 'a:b')).href],
])('opens %j as the directory %s', (location, url) => {
  const storage = openStorage(location);
  expect(storage).toBeInstanceOf(FileStorage);
  expect(storage.url).toBe(url);
});

it('opens one memory for each name', () => {
  const storage = openStorage('memory://one');
  expect(storage).toBeInstanceOf(MemoryStorage);
  expect(storage.url).toBe('memory://one');
  expect(openStorage('memory://one')).toBe(storage);
  expect(openStorage('memory://other')).not.toBe(storage);
});

it.each([
  '',
  'gs://bucket',
  's3://eu-west-1/bucket',
  'http://localhost/a',
  'memory:',
  'memory:name',
  'memory://',
  'memory://a/b',
  'file://host/a',
  'file:a',
  'file:/a',
  'file:///a?b',
  'file:///a#b',
  'file:///a%2Fb',
  'file:///a%00b',
  'a\0b',
  'constructor:a',
])('refuses %j and names the forms that it takes', (location) => {
  const open = (): unknown => openStorage(location);
  expect(open).toThrow(UsageError);
  expect(open).toThrow(`${JSON.stringify(location)} is no storage`);
  expect(open).toThrow('give a path, or a URL like file:///var/lib/dsp or memory://name');
});

it('does not repeat a password', () => {
  expect(() => openStorage('https://user:secret@host/a')).toThrow('https://…@host/a');
});
