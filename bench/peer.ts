import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PacketPair } from '../deploy/local/deployment-keys.ts';
import { isFirst, type ServerName } from '../deploy/local/places.ts';
import type { Used } from './node-program.ts';
import { runToSuccess, type Bench } from './process.ts';

/** Seen from dist/bench. */
const SOURCE = fileURLToPath(new URL('../../bench/peer', import.meta.url));

/** The program of bench/peer. */
export interface Peer {
  readonly executable: string;
  readonly version: string;
}

export interface PeerRun {
  readonly command: 'intake' | 'aggregate';
  readonly bins: number;
  readonly server: ServerName;
  readonly key: PacketPair;
  readonly packetFile: string;
  /** Written by `intake`, the other server's for `aggregate`. */
  readonly validationFile: string;
}

/** What the peer prints. */
export interface PeerResult {
  readonly packets: number;
  readonly cpuMs: number;
  readonly peakMiB: number | null;
  /** Of `aggregate`. */
  readonly sum?: readonly number[];
  readonly counted?: number;
}

/** Builds the peer outside of the checkout, where cargo keeps what it has built; `undefined` without a cargo. */
export async function buildPeer(bench: Bench): Promise<Peer | undefined> {
  try {
    await runToSuccess({ executable: 'cargo', args: ['--version'] }, bench);
  } catch {
    bench.signal.throwIfAborted();
    bench.tell('skipped: the peer (bench/peer), as there is no cargo');
    return undefined;
  }
  bench.tell('builds the peer');
  const cache = bench.env['XDG_CACHE_HOME'] ?? join(bench.env['HOME'] ?? '/tmp', '.cache');
  const target = join(cache, 'data-share-processor', 'peer');
  const args = ['build', '--release', '--locked', '--quiet'];
  await runToSuccess({ executable: 'cargo', args, env: { CARGO_TARGET_DIR: target }, directory: SOURCE }, bench);
  const lock = await readFile(join(SOURCE, 'Cargo.lock'), 'utf8');
  const prio = /name = "prio"\nversion = "([^"]+)"/.exec(lock)?.[1] ?? 'unknown';
  return { executable: join(target, 'release', 'prio-peer'), version: `prio ${prio}` };
}

/** @throws Error if the peer fails */
export async function runPeer(
  peer: Peer,
  run: PeerRun,
  bench: Bench,
): Promise<{ readonly used: Used; readonly result: PeerResult }> {
  const { command, bins, server, key, packetFile, validationFile } = run;
  const { stdout, wallMs } = await runToSuccess(
    {
      executable: peer.executable,
      args: [command, String(bins), String(isFirst(server)), packetFile, validationFile],
      env: { PACKET_DECRYPTION_KEY: key.private },
    },
    bench,
  );
  const result = JSON.parse(stdout) as PeerResult; // of bench/peer/src/main.rs
  return { used: { cpuMs: result.cpuMs, wallMs, peakMiB: result.peakMiB ?? 0 }, result };
}
