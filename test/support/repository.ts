import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Of this checkout, with a slash at the end. */
export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** A file of the repository, with its path from the root. */
export interface SourceFile {
  readonly path: string;
  readonly source: string;
}

/** Paths of what is or will be committed: tracked files and such as git does not ignore, without those deleted. */
export function repositoryPaths(): string[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return [...new Set(list.split('\0'))].filter((path) => path !== '' && isFile(path)).sort();
}

function isFile(path: string): boolean {
  return existsSync(REPOSITORY + path) && statSync(REPOSITORY + path).isFile();
}

export function readText(path: string): string {
  return readFileSync(REPOSITORY + path, 'utf8');
}

/** The text of a file, `undefined` if it is binary: git's own rule, a NUL among the first 8000 bytes. */
export function readIfText(path: string): string | undefined {
  const bytes = readFileSync(REPOSITORY + path);
  return bytes.subarray(0, 8000).includes(0) ? undefined : bytes.toString('utf8');
}

/** The TypeScript files of the given top-level folders. */
export function typeScriptFiles(folders: readonly string[]): SourceFile[] {
  return repositoryPaths()
    .filter((path) => path.endsWith('.ts') && folders.some((folder) => path.startsWith(`${folder}/`)))
    .map((path) => ({ path, source: readText(path) }));
}
