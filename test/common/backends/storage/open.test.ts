import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { FileStorage } from '../../../../common/backends/storage/file.ts';
import { MemoryStorage } from '../../../../common/backends/storage/memory.ts';
import { openStorage } from '../../../../common/backends/storage/open.ts';
import { ConfigurationInvalid, UsageError } from '../../../../common/errors.ts';

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
  'gs://',
  'gs://Bucket',
  's3://eu-west-1',
  's3://bucket/prefix',
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
  expect(open).toThrow(
    'give a path, or a URL like gs://bucket/prefix or s3://region/bucket/prefix or file:///var/lib/dsp or memory://name',
  );
});

it.each(['gs://bucket', 'gs://bucket/a/b', 's3://eu-west-1/bucket', 's3://eu-west-1/bucket/a'])(
  'opens %s',
  (location) => {
    expect(openStorage(location).url).toBe(location);
  },
);

it.each([
  ['file:///var/lib/dsp', 'me@p.iam.gserviceaccount.com'],
  ['memory://one', 'arn:aws:iam::123456789012:role/r'],
])('refuses an identity for %s', (location, identity) => {
  const open = (): unknown => openStorage(location, { identity });
  expect(open).toThrow(ConfigurationInvalid);
  expect(open).toThrow('takes no identity');
});

it('counts the requests of storages that have none, a call for a request', async () => {
  const requests: string[] = [];
  const storage = openStorage('memory://counted', { onRequest: (request) => requests.push(request) });
  const version = await storage.put('a/b', Buffer.from('x'));
  await storage.createIfAbsent('a/b', Buffer.from('x'));
  await storage.replaceIfUnchanged('a/b', version, Buffer.from('y'));
  for await (const key of storage.list()) expect(key).toBe('a/b');
  for await (const name of storage.listFolder()) expect(name).toBe('a/');
  await storage.get('a/b');
  await storage.delete('a/b');
  await storage.check('read');
  expect(requests).toEqual(['put', 'put', 'put', 'list', 'list', 'get', 'delete']);
});

it('does not repeat a password', () => {
  expect(() => openStorage('https://user:secret@host/a')).toThrow('https://…@host/a');
});
