import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PacketWorld } from './packet-world.ts';
import { idleWorkerRun, intakeRun } from './facilitator-run.ts';
import { runProgram, type ProgramRun } from './node-program.ts';
import type { NodeSubject } from './packet-rounds.ts';
import type { WorldSettings } from './packet-world.ts';
import type { StartUp } from './results.ts';

/** Few enough that the work is over at once. */
const PACKETS = 10;

/** Times how long our programs take to begin, and to end when there is nothing to do. */
export async function measureStartUp(
  world: PacketWorld,
  { server, keys, directory, bench }: WorldSettings,
  subjects: readonly NodeSubject[],
  runs: number,
): Promise<StartUp[]> {
  const { batch, places } = await world.ingested(PACKETS);
  const queues = join(directory, 'publisher');
  const publisherOptions = await publisherArgs(queues);
  const commands: readonly { readonly what: string; readonly run: ProgramRun }[] = [
    { what: '`facilitator intake-batch --help`', run: { program: 'facilitator', args: ['intake-batch', '--help'] } },
    { what: `\`facilitator intake-batch\`, ${PACKETS} packets`, run: intakeRun({ name: server, keys }, batch, places) },
    {
      what: '`facilitator intake-batch-worker`, a second without tasks',
      run: idleWorkerRun({ name: server, keys }, places, join(queues, 'intake-tasks')),
    },
    {
      what: '`workflow-manager`, nothing to do',
      run: { program: 'workflow-manager', args: publisherOptions },
    },
  ];
  const found: StartUp[] = [];
  for (const { what, run } of commands) {
    for (const subject of subjects) {
      const ended = [];
      for (let i = 0; i < runs; i++) ended.push(await runProgram(run, subject.node, bench));
      found.push({
        what,
        subject,
        wallMs: ended.map(({ wallMs }) => wallMs),
        cpuMs: ended.map(({ used }) => used.cpuMs),
        firstLogLineMs: ended.flatMap(({ firstLogLineMs }) => firstLogLineMs ?? []),
        peakMiB: ended.map(({ used }) => used.peakMiB),
      });
      bench.tell(`start-up: ${what}, ${subject.name}: done`);
    }
  }
  await rm(queues, { recursive: true, force: true });
  return found;
}

async function publisherArgs(root: string): Promise<string[]> {
  const places = {
    'ingestor-input': join(root, 'ingestion'),
    'own-validation-input': join(root, 'own-validation'),
    'peer-validation-input': join(root, 'peer-validation'),
    'intake-tasks-topic': join(root, 'intake-tasks'),
    'aggregate-tasks-topic': join(root, 'aggregate-tasks'),
  };
  for (const place of Object.values(places)) await mkdir(place, { recursive: true });
  const options = { 'is-first': 'false', 'task-queue-kind': 'local', ...places };
  return Object.entries(options).map(([option, value]) => `--${option}=${value}`);
}
