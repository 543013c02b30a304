import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeyInvalid } from '../../facilitator/errors.ts';
import { KeyFile } from '../../facilitator/key-file.ts';
import { temporaryDirectory } from '../support/temp-directory.ts';

const root = temporaryDirectory();
let lines: Record<string, unknown>[];
let parsed: number;

const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as never) });

const settings = (path: string): Parameters<typeof KeyFile.open<string>>[0] => ({
  path,
  option: '--keys-file',
  parse: (text, what) => {
    parsed++;
    if (!text.startsWith('key')) throw new KeyInvalid(`${what} holds no key`);
    return text.trim();
  },
  log,
});

beforeEach(() => {
  lines = [];
  parsed = 0;
});

describe('keys in a file', () => {
  const path = (): string => `${root()}/keys`;

  it('are read once while the file stays', async () => {
    writeFileSync(path(), 'key 1\n');
    const file = await KeyFile.open(settings(path()));
    expect([await file.current(), await file.current(), parsed]).toEqual(['key 1', 'key 1', 1]);
    expect(lines).toEqual([]);
  });

  it('are read again when it is written again', async () => {
    writeFileSync(path(), 'key 1');
    const file = await KeyFile.open(settings(path()));
    writeFileSync(path(), 'key 22');
    expect(await file.current()).toBe('key 22');
    expect(lines).toMatchObject([{ level: 30, option: '--keys-file' }]);
  });

  it('are read again when Kubernetes swaps the directory behind them', async () => {
    const volume = `${root()}/volume`;
    const publish = (name: string, text: string): void => {
      mkdirSync(`${volume}/${name}`, { recursive: true });
      writeFileSync(`${volume}/${name}/secret_key`, text);
      symlinkSync(name, `${volume}/..next`);
      renameSync(`${volume}/..next`, `${volume}/..data`);
    };
    publish('..1', 'key 1');
    symlinkSync('..data/secret_key', `${volume}/secret_key`);
    const file = await KeyFile.open(settings(`${volume}/secret_key`));
    publish('..2', 'key 2');
    expect(await file.current()).toBe('key 2');
    publish('..3', 'key 3');
    rmSync(`${volume}/..1`, { recursive: true });
    expect(await file.current()).toBe('key 3');
  });

  it.each([
    ['is broken', 'E_KEY', () => writeFileSync(path(), 'broken')],
    ['is gone', 'E_CONFIGURATION', () => rmSync(path())],
    ['is far too large', 'E_KEY', () => writeFileSync(path(), Buffer.alloc(2 ** 20 + 1))],
  ])('stay what they were while the file %s, with an error each time', async (_name, code, spoil) => {
    writeFileSync(path(), 'key 1');
    const file = await KeyFile.open(settings(path()));
    spoil();
    expect([await file.current(), await file.current()]).toEqual(['key 1', 'key 1']);
    expect(lines).toMatchObject([
      { level: 50, error_code: code },
      { level: 50, error_code: code },
    ]);
    expect(JSON.stringify(lines)).not.toContain('broken');
    writeFileSync(path(), 'key 2');
    expect(await file.current()).toBe('key 2');
  });

  it('must be there and sound at first', async () => {
    rmSync(path(), { force: true });
    await expect(KeyFile.open(settings(path()))).rejects.toMatchObject({
      code: 'E_CONFIGURATION',
      message: `--keys-file: ${path()} cannot be read`,
    });
    writeFileSync(path(), 'broken');
    await expect(KeyFile.open(settings(path()))).rejects.toMatchObject({ code: 'E_KEY' });
  });
});
