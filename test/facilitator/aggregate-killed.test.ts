import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { FACILITATOR, run } from '../support/child-process.ts';
import { aggregateOptions, commandLine } from '../support/command-options.ts';
import { logLines } from '../support/log-lines.ts';
import { filesIn, temporaryDirectory } from '../support/temp-directory.ts';

const root = temporaryDirectory();
const KILL = new URL('../support/kill-at-write.mjs', import.meta.url).href;
/** The copy, then packet file, header and signature. */
const WRITES = 4;

const lineFor = (place: string): string[] =>
  commandLine('aggregate', { ...aggregateOptions(`${root()}/${place}`), 'own-output': `${root()}/${place}/own` });

/** All objects; of what is signed, how long it is, since signatures differ. */
async function objects(place: string): Promise<Map<string, string>> {
  const names = filesIn(`${root()}/${place}`).filter((name) => !name.includes('.dsp/'));
  const bytes = await Promise.all(names.map((name) => readFile(`${root()}/${place}/${name}`)));
  return new Map(names.map((name, i) => [name, name.endsWith('.sig') ? 'a signature' : bytes[i]!.toString('hex')]));
}

describe('aggregate that is killed', () => {
  it('leaves nothing that hinders the next execution, and no .sig without the rest', async () => {
    expect(await run(FACILITATOR, lineFor('undisturbed'))).toMatchObject({ status: 0 });
    const undisturbed = await objects('undisturbed');
    expect(undisturbed.size).toBe(WRITES);

    for (let at = 1; at <= WRITES; at++) {
      const place = `after-${at}`;
      const env = { KILL_AT: String(at), KILL_WHEN: 'after' };
      const killed = await run(FACILITATOR, lineFor(place), { node: ['--import', KILL], env });
      expect(killed, place).toMatchObject({ signal: 'SIGKILL' });
      const left = await objects(place);
      expect(left.size).toBe(at);
      for (const [name, content] of left) expect(undisturbed.get(name), place).toBe(content);

      const again = await run(FACILITATOR, lineFor(place));
      expect(again, place).toMatchObject({ status: 0 });
      expect(logLines(again.stderr).at(-1)).toMatchObject({
        message: at === WRITES ? 'the same sum part was published before' : 'sum part published',
      });
      expect(await objects(place), place).toEqual(undisturbed);
    }
  }, 60_000);
});
