import { runProgram, type Node } from './node-program.ts';
import { runToSuccess, type Bench } from './process.ts';

/**
 * Microseconds of processor time that one `createECDH().computeSecret` takes, by ./floor/main.ts: on as many cores at
 * once as intake uses, since a core may be slower when others work.
 */
export async function ecdhFloorUs(node: Node, threads: number, bench: Bench): Promise<number> {
  const times = await Promise.all(
    Array.from({ length: threads }, async () => {
      const { stdout } = await runProgram({ program: 'floor', args: [] }, node, bench);
      return (JSON.parse(stdout) as { cpuUs: number }).cpuUs;
    }),
  );
  return times.reduce((total, us) => total + us, 0) / threads;
}

/** The same by `openssl speed`; `undefined` where there is no openssl, or one that tells it in other words. */
export async function opensslFloorUs(bench: Bench): Promise<{ version: string; us: number } | undefined> {
  try {
    const { stdout: version } = await runToSuccess({ executable: 'openssl', args: ['version'] }, bench);
    const args = ['speed', '-seconds', '1', 'ecdhp256'];
    const { stdout } = await runToSuccess({ executable: 'openssl', args }, bench);
    const us = parseOpensslSpeed(stdout);
    return us === undefined ? undefined : { version: version.split(' ')[1] ?? '', us };
  } catch (err) {
    bench.signal.throwIfAborted();
    bench.tell(`skipped: openssl speed (${err instanceof Error ? err.message.split('\n')[0] : String(err)})`);
    return undefined;
  }
}

/** Microseconds for each operation, of the line ` 256 bits ecdh (nistp256)   0.0000s  23612.3`. */
export function parseOpensslSpeed(output: string): number | undefined {
  const perSecond = Number(/ecdh \(nistp256\)\s+\S+\s+([\d.]+)/.exec(output)?.[1] ?? 0);
  return perSecond > 0 ? 1e6 / perSecond : undefined;
}
