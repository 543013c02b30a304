import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, type Ended, type ProcessOptions } from './child-process.ts';

/** A run that has ended, and what it had loaded by then. */
export interface LoadedBy {
  readonly ended: Ended;
  /** Paths of the files, as V8 tells of all scripts of all threads; what is part of Node itself does not count. */
  readonly modules: readonly string[];
}

/** Runs a program and tells which modules it loads. @param scratch a directory that is not there yet */
export async function modulesOf(
  program: string,
  args: readonly string[],
  scratch: string,
  options: ProcessOptions = {},
): Promise<LoadedBy> {
  const ended = await run(program, args, { ...options, env: { ...options.env, NODE_V8_COVERAGE: scratch } });
  const modules = new Set<string>();
  for (const file of readdirSync(scratch)) {
    // As Node writes it: https://nodejs.org/docs/latest-v20.x/api/cli.html#node_v8_coveragedir
    const { result } = JSON.parse(readFileSync(join(scratch, file), 'utf8')) as {
      readonly result: readonly { readonly url: string }[];
    };
    for (const { url } of result) if (url.startsWith('file:')) modules.add(fileURLToPath(url));
  }
  if (!modules.has(program)) throw new Error(`V8 does not tell of ${program} itself`);
  return { ended, modules: [...modules] };
}

/** Which of these libraries, or of the libraries of these scopes, are among the modules. */
export function librariesIn(modules: readonly string[], libraries: readonly string[]): string[] {
  return libraries.filter((library) => modules.some((path) => path.includes(`/node_modules/${library}/`)));
}
