import { SERVERS } from '../../deploy/local/places.ts';
import type { Killer, Moment, Victim } from './killer.ts';
import type { Kind } from './ledger.ts';
import type { Message, World } from './world.ts';

const EVERY_MS = 1000;
/** For a worker to come to the moment: some seconds at most. */
const LIMIT_MS = 60_000;

const read = (nth: number): Moment => ({ of: 'read', nth, isDone: false });
const before = (nth: number): Moment => ({ of: 'write', nth, isDone: false });
const after = (nth: number): Moment => ({ of: 'write', nth, isDone: true });

/** All that intake reads first, and every object that it writes, before and after. */
const INTAKE_MOMENTS: readonly Moment[] = [
  ...[1, 2, 3].map(read),
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((nth) => [before(nth), after(nth)]),
];

/**
 * At the beginning, and as the same task comes again among the batches that aggregate reads; around what it writes: the
 * copy of the sum part, the list of invalid packets, the sum, its signature.
 */
const AGGREGATE_MOMENTS: readonly (readonly Moment[])[] = [
  [read(1), read(30)],
  [after(1)],
  [before(2)],
  [after(3)],
  [after(4)],
];

/**
 * Passes the messages on one after the other, as batches arrive in production, and kills a worker each second at one of
 * these tasks: 48 at intake, 12 at aggregate. So on whatever machine there is work for every kill, each of them hits
 * some, and what was hit comes again two seconds later, while others are being killed. To kill anybody at any time
 * would mostly hit workers that wait, as 48 batches are done within some seconds.
 */
export async function passUnderKills(
  killer: Killer,
  kind: Kind,
  messages: readonly Message[],
  world: World,
): Promise<void> {
  const pass = async (which: (message: Message) => boolean): Promise<void> => {
    for (const message of messages.filter(which)) await world.pass(message);
  };
  const strikeAs = async (victim: Victim, which: (message: Message) => boolean): Promise<void> => {
    await Promise.all([killer.strike(victim, EVERY_MS, LIMIT_MS), pass(which)]);
  };
  const { generated, recorded } = world.input;
  if (kind === 'intake') {
    const batches = generated.flatMap(({ batches }) => batches.map(({ id }) => id));
    await pass(({ subject }) => !batches.includes(subject));
    for (const [n, id] of batches.entries()) {
      // Both indices are within their lists.
      const server = SERVERS[n % SERVERS.length]!;
      const moment = INTAKE_MOMENTS[Math.floor(n / SERVERS.length) % INTAKE_MOMENTS.length]!;
      await strikeAs({ server, kind, ...moment }, ({ subject }) => subject === id);
    }
    return;
  }
  const ids = [...generated.map(({ id }) => id), ...recorded.map(({ aggregationId }) => aggregationId)];
  for (const [n, [first, ...later]] of AGGREGATE_MOMENTS.entries()) {
    for (const server of SERVERS) {
      const victim = { server, kind };
      // There is a moment at least.
      await strikeAs({ ...victim, ...first! }, (message) => message.server === server && message.subject === ids[n]);
      // Its deadline is longer than the time between two kills, so that somebody waits for it when it comes again.
      for (const moment of later) await killer.strike({ ...victim, ...moment }, EVERY_MS, LIMIT_MS);
    }
  }
}
