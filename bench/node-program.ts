import { fileURLToPath } from 'node:url';
import { runToSuccess, type Bench, type Ended } from './process.ts';
import type { Sample } from './statistics.ts';
import { usedOf } from './used.ts';

/** An executable of Node. */
export interface Node {
  readonly path: string;
  /** `20.20.2` */
  readonly version: string;
  readonly openssl: string;
}

/** The programs as they are installed, beside `dist/bench`. */
const PROGRAMS = {
  facilitator: fileURLToPath(new URL('../facilitator/main.js', import.meta.url)),
  'workflow-manager': fileURLToPath(new URL('../workflow-manager/main.js', import.meta.url)),
  floor: fileURLToPath(new URL('floor/main.js', import.meta.url)),
} as const;

const TELL_RESOURCE_USE = new URL('tell-resource-use.js', import.meta.url).href;

/** A run of one of our programs. */
export interface ProgramRun {
  readonly program: keyof typeof PROGRAMS;
  readonly args: readonly string[];
  /** Key material. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** What a run used, without the number of packets that only its caller knows. */
export type Used = Omit<Sample, 'packets'>;

export async function nodeAt(path: string, bench: Bench): Promise<Node> {
  const args = ['--print', '[process.versions.node, process.versions.openssl].join()'];
  const { stdout } = await runToSuccess({ executable: path, args }, bench);
  const [version = '', openssl = ''] = stdout.trim().split(',');
  return { path, version, openssl };
}

/** @throws Error if the program fails */
export async function runProgram(run: ProgramRun, node: Node, bench: Bench): Promise<Ended & { readonly used: Used }> {
  const ended = await runToSuccess(
    {
      executable: node.path,
      args: ['--import', TELL_RESOURCE_USE, PROGRAMS[run.program], ...run.args],
      ...(run.secrets ? { env: run.secrets } : {}),
    },
    bench,
  );
  return { ...ended, used: { ...usedOf(ended.third), wallMs: ended.wallMs } };
}
