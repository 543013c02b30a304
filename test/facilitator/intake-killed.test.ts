import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commonArguments, readCase, type Side } from '../support/cases.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/facilitator/main.js', import.meta.url));
const KILL = new URL('../support/kill-at-write.mjs', import.meta.url).href;

const recorded = readCase('ordinary');
const [batch] = recorded.batches;

interface Outcome {
  readonly status: number | null;
  readonly signal: string | null;
}

function intake(root: string, side: Side, singleObject: boolean, kill?: { at: number; when: string }): Outcome {
  const args = [
    'intake-batch',
    ...commonArguments(recorded, side),
    ...['--batch-id', batch!.id, '--date', batch!.time],
    ...['--peer-output', join(root, 'peer'), '--own-output', join(root, 'own')],
    ...['--write-single-object-validation-batches', String(singleObject)],
  ];
  const node = kill ? ['--import', KILL] : [];
  const env = { ...process.env, KILL_AT: String(kill?.at), KILL_WHEN: kill?.when };
  return spawnSync(process.execPath, [...node, PROGRAM, ...args], { env });
}

/** All objects but the hidden directory of the storage; the value of a signature is left out. */
async function objects(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || path.includes('/.dsp/')) continue;
    const bytes = await readFile(path);
    found.set(path.slice(root.length), path.endsWith('.sig') ? 'a signature' : bytes.toString('hex'));
  }
  return found;
}

describe.each([
  ['three objects', false, 7],
  ['a single object', true, 5],
])('intake-batch that writes %s, killed', (_, singleObject, writes) => {
  let root: string;
  let undisturbed: Map<string, string>;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'dsp-killed-'));
    expect(intake(join(root, 'undisturbed'), 'pha', singleObject).status).toBe(0);
    undisturbed = await objects(join(root, 'undisturbed'));
  });
  afterAll(() => rm(root, { recursive: true }));

  const moments = Array.from({ length: writes }, (_, i) => i + 1).flatMap((at) => [
    { at, when: 'before' },
    { at, when: 'after' },
  ]);

  it.each(moments)(
    '$when write $at, leaves no own .sig without the peer’s, and the same bytes after another run',
    async (moment) => {
      const place = join(root, `${moment.when}-${moment.at}`);
      expect(intake(place, 'pha', singleObject, moment).signal).toBe('SIGKILL');
      const base = `${recorded.aggregation_id}/${batch!.time}/${batch!.id}.validity_0.sig`;
      if (existsSync(join(place, 'own', base))) expect(existsSync(join(place, 'peer', base))).toBe(true);
      // Whatever is there is whole: every object is one of the undisturbed run.
      const left = await objects(place).catch(() => new Map<string, string>());
      for (const [path, content] of left) expect(undisturbed.get(path)).toBe(content);

      expect(intake(place, 'pha', singleObject).status).toBe(0);
      expect(await objects(place)).toEqual(undisturbed);
    },
  );

  it('writes that many objects, so that no write was missed', async () => {
    const place = join(root, 'not-killed');
    expect(intake(place, 'pha', singleObject, { at: writes + 1, when: 'before' })).toMatchObject({
      status: 0,
      signal: null,
    });
    await cp(place, join(root, 'copy'), { recursive: true });
    expect(undisturbed.size).toBe(writes);
  });
});
