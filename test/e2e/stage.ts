import { whenBatchesAreIn, whenWindowIsDue } from '../../deploy/local/windows.ts';
import { SERVERS } from '../../deploy/local/places.ts';
import { subjectsOf, type Input } from './input.ts';
import type { Kind, Ledger } from './ledger.ts';
import { runToSuccess } from './processes.ts';
import { serviceEnvironment, type ServiceUrls } from './stand-ins.ts';
import { Workers, type Seat } from './workers.ts';
import type { Message, World } from './world.ts';

/** For all tasks of a kind; several times what the slowest stage takes on a busy machine. */
const LIMIT_MS = 240_000;

/** What a stage does to the system besides letting it run. */
export interface Stage {
  /** One word. */
  readonly name: string;
  /** How long a task stays with a worker that says nothing. */
  readonly ackDeadlineMs: number;
  /** Where publishers and workers find services. */
  readonly urls: ServiceUrls;
  /** Where single workers do, if that is somewhere else. */
  readonly urlsOf?: (seat: Seat) => ServiceUrls;
  /** Told of the workers as they start. */
  readonly watch?: (workers: Workers) => void;
  /** Passes on to the workers what the publishers have published; without it, they take it from there. */
  readonly relay?: (kind: Kind, messages: readonly Message[], world: World) => Promise<void>;
  /** How often a publisher may run, as a CronJob does, until it ends with 0. Default: once. */
  readonly publisherRuns?: number;
  /** How many messages there are of each task. Default: 1. */
  readonly copies?: number;
  /** What else is to be seen before the workers are told to end. */
  readonly until?: () => boolean;
}

/** Runs the publishers for intake, then for the window, while workers do the tasks; returns when all are done. */
export async function runSystem(world: World, stage: Stage, logFile: string): Promise<Ledger> {
  const { input } = world;
  const { ackDeadlineMs, urls, urlsOf = () => urls, publisherRuns = 1, copies = 1, until = () => true } = stage;
  const publishing = { env: serviceEnvironment(urls), logFile, hasChannel: true };
  await using workers = new Workers(world, { ackDeadlineMs, urlsOf, logFile });
  const { ledger } = workers;
  stage.watch?.(workers);
  for (const [kind, asOf] of [
    ['intake', whenBatchesAreIn(input.window)],
    ['aggregate', whenWindowIsDue(input.window)],
  ] as const) {
    await Promise.all(SERVERS.map((server) => runToSuccess(world.publisher(server, asOf), publishing, publisherRuns)));
    if (stage.relay) await stage.relay(kind, await world.published(kind), world);
    await ledger.until(`the end of all ${kind} tasks`, () => areAllDone(ledger, input, kind, copies), LIMIT_MS);
  }
  await ledger.until('what the stage is about', until, LIMIT_MS);
  return ledger;
}

/** Every message was done and acknowledged. */
function areAllDone(ledger: Ledger, input: Input, kind: Kind, copies: number): boolean {
  return SERVERS.every((server) =>
    subjectsOf(input, kind).every((subject) => ledger.messagesDone({ server, kind, subject }) >= copies),
  );
}
