import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ingestionKeys, sumPartKeys } from '../common/domain/batch-path.ts';
import { formatUuidV4 } from '../common/domain/uuid.ts';
import { readSingleRecord } from '../facilitator/codec/read.ts';
import { sumPart } from '../facilitator/codec/record-types.ts';
import type { ValidationPacket } from '../facilitator/codec/records.ts';
import type { RandomBytes } from '../facilitator/prio/client.ts';
import type { DeploymentKeys } from '../deploy/local/deployment-keys.ts';
import { isFirst, otherServer, type ServerName } from '../deploy/local/places.ts';
import {
  AGGREGATION,
  packetsIn,
  readValidation,
  validationKeysOf,
  writeIngestion,
  writeValidation,
  type BenchBatch,
} from './batch-files.ts';
import { makeContributions, type Contribution } from './contributions.ts';
import { aggregateRun, BATCH_TIME, INSTANCE, intakeRun, sumPartWindow, type RunPlaces } from './facilitator-run.ts';
import { runProgram, type Node, type Used } from './node-program.ts';
import type { Bench } from './process.ts';

export interface WorldSettings {
  readonly bins: number;
  /** Whose work is measured. */
  readonly server: ServerName;
  readonly keys: DeploymentKeys;
  /** Removed by `dispose`. */
  readonly directory: string;
  readonly random: RandomBytes;
  /** What prepares, as opposed to what is measured. */
  readonly node: Node;
  readonly bench: Bench;
}

/** A batch in its place, with what both servers said about it if that was asked for. */
export interface PlacedBatch {
  readonly batch: BenchBatch;
  readonly places: RunPlaces;
  readonly packetFile: string;
  /** The other server's packets. */
  readonly peerValidationFile: string;
}

/** Batches of one number of bins, made when they are first asked for and kept for all runs. */
export class PacketWorld {
  readonly #settings: WorldSettings;
  readonly #contributions: readonly Contribution[];
  readonly #ingested = new Map<number, Promise<PlacedBatch>>();
  readonly #validated = new Map<number, Promise<void>>();
  readonly #held = new Map<number, Promise<void>>();
  #peerMessages: Promise<readonly ValidationPacket[]> | undefined;
  #runs = 0;

  constructor(settings: WorldSettings) {
    this.#settings = settings;
    this.#contributions = makeContributions(settings.bins, settings.keys, settings.random);
  }

  /** How many packets make a file of at least so many bytes. */
  packetsFor(bytes: number): number {
    // All payloads of a server are equally long, and there is one.
    return Math.ceil(bytes / this.#contributions[0]!.payloads[this.#settings.server].length);
  }

  /** A batch of so many packets, to be taken in. */
  async ingested(packets: number): Promise<PlacedBatch> {
    return memoized(this.#ingested, packets, () => this.#place(`${packets}`, packets, this.#settings.server));
  }

  /** The same with the other server's validation. */
  async validated(packets: number): Promise<PlacedBatch> {
    const placed = await this.ingested(packets);
    await memoized(this.#validated, packets, async () => {
      const { server, keys } = this.#settings;
      const peer = otherServer(server);
      const messages = await (this.#peerMessages ??= this.#messagesOf(peer));
      await writeValidation(placed.places.peerValidation, placed.batch, peer, messages, keys.signing[peer]);
    });
    return placed;
  }

  /** The same with what our intake leaves for aggregation. */
  async takenIn(packets: number): Promise<PlacedBatch> {
    const placed = await this.validated(packets);
    await memoized(this.#held, packets, async () => {
      const { server, keys, node, bench } = this.#settings;
      const peerValidation = await this.#fresh('for-the-peer');
      const run = intakeRun({ name: server, keys }, placed.batch, { ...placed.places, peerValidation });
      await runProgram(run, node, bench);
      await rm(peerValidation, { recursive: true });
    });
    return placed;
  }

  /** Runs our intake once; gives what it used, and what it told the peer if `tells`. */
  async intake(
    { batch, places }: PlacedBatch,
    node: Node,
    { threads, tells = false }: { readonly threads?: number | undefined; readonly tells?: boolean } = {},
  ): Promise<{ readonly used: Used; readonly told: readonly ValidationPacket[] }> {
    const { server, keys, bench } = this.#settings;
    const out = await this.#fresh('intake');
    const written = { ...places, peerValidation: join(out, 'peer'), ownValidation: join(out, 'own') };
    await mkdir(written.peerValidation);
    await mkdir(written.ownValidation);
    const { used } = await runProgram(intakeRun({ name: server, keys, threads }, batch, written), node, bench);
    const told = tells ? await readValidation(written.peerValidation, batch, server) : [];
    await rm(out, { recursive: true });
    return { used, told };
  }

  /** Runs our aggregation once; gives what it used, and its sum. */
  async aggregate(
    { batch, places }: PlacedBatch,
    node: Node,
    threads?: number,
  ): Promise<{ readonly used: Used; readonly sum: readonly number[] }> {
    const { server, keys, bench } = this.#settings;
    const portal = await this.#fresh('portal');
    const { used } = await runProgram(
      aggregateRun({ name: server, keys, threads }, batch, { ...places, portal }),
      node,
      bench,
    );
    const { header } = sumPartKeys(INSTANCE, AGGREGATION, sumPartWindow, isFirst(server) ? 0 : 1);
    const { record } = readSingleRecord(sumPart, await readFile(join(portal, header)));
    await rm(portal, { recursive: true });
    return { used, sum: record.sum.map(Number) };
  }

  /** A file that a run may write, in a directory of its own. */
  async scratchFile(name: string): Promise<string> {
    return join(await this.#fresh('scratch'), name);
  }

  async dispose(): Promise<void> {
    await rm(this.#settings.directory, { recursive: true, force: true });
  }

  /** What the other server says about each contribution, by really taking them in there. */
  async #messagesOf(peer: ServerName): Promise<readonly ValidationPacket[]> {
    const { keys, node, bench } = this.#settings;
    const { batch, places } = await this.#place(`by-${peer}`, this.#contributions.length, peer);
    await runProgram(intakeRun({ name: peer, keys }, batch, places), node, bench);
    return readValidation(places.peerValidation, batch, peer);
  }

  async #place(name: string, packets: number, server: ServerName): Promise<PlacedBatch> {
    const { directory, bins, random, keys } = this.#settings;
    const batch = { id: { id: formatUuidV4(random(16)), time: BATCH_TIME }, bins, uuids: random(16 * packets) };
    const root = join(directory, name);
    const places = {
      ingestion: join(root, 'ingestion'),
      peerValidation: join(root, 'peer-validation'),
      ownValidation: join(root, 'own-validation'),
    };
    for (const place of Object.values(places)) await mkdir(place, { recursive: true });
    await writeIngestion(places.ingestion, batch, server, this.#contributions, keys.ingestor);
    return {
      batch,
      places,
      packetFile: join(places.ingestion, ingestionKeys(AGGREGATION, batch.id).packets),
      peerValidationFile: join(places.peerValidation, validationKeysOf(batch, otherServer(server)).packets),
    };
  }

  async #fresh(name: string): Promise<string> {
    const path = join(this.#settings.directory, `${name}-${++this.#runs}`);
    await mkdir(path, { recursive: true });
    return path;
  }
}

export const sizeOf = ({ batch }: PlacedBatch): number => packetsIn(batch);

function memoized<V>(made: Map<number, Promise<V>>, key: number, make: () => Promise<V>): Promise<V> {
  const known = made.get(key);
  if (known) return known;
  const value = make();
  made.set(key, value);
  return value;
}
