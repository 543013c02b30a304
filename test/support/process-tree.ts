import { execFileSync } from 'node:child_process';

/** The process and all that descend from it, as far as they are alive. */
export function processTree(root: number): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='])
    .toString()
    .trim()
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  const children = new Map<number, number[]>();
  for (const [pid, parent, state] of rows) {
    // Zombies are dead, only not yet buried.
    if (state?.startsWith('Z')) continue;
    children.set(Number(parent), [...(children.get(Number(parent)) ?? []), Number(pid)]);
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return [root, ...below(root)];
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Kills a process that may have ended by itself in the meantime. */
export function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (err) {
    if (!(err instanceof Error && 'code' in err && err.code === 'ESRCH')) throw err;
  }
}
