import { availableParallelism } from 'node:os';
import type { CommandContext } from '../../common/runtime/command.ts';
import { choice, integer } from '../../common/runtime/option-values.ts';
import type { Args } from '../../common/runtime/options.ts';
import type { PacketEngine } from '../packets/packet-engine.ts';

/** How packets are opened: the same results whatever these are. */
export const engineOptions = {
  threads: integer(1, 256, {
    describe: 'threads that open packets; by default one for each core',
    example: '2',
  }),
  evaluation: choice(['webassembly', 'typescript'], {
    describe: 'what evaluates shares: the fast kernel, or the readable code that it is held to',
    default: 'webassembly',
  }),
} as const;

/** What opening an engine, and all that batches are opened with, needs of the process. */
export type EngineContext = Pick<CommandContext, 'log' | 'clock' | 'atEnd' | 'stopwatch'>;

/** Starts no thread yet; to be called once. */
export async function openEngine(
  args: Args<typeof engineOptions>,
  { atEnd, stopwatch }: Pick<EngineContext, 'atEnd' | 'stopwatch'>,
): Promise<PacketEngine> {
  // Loaded here, so that help and faults of the command line need not wait for it.
  const { ThreadPoolEngine } = await import('../packets/thread-pool-engine.ts');
  const { cheaperAgreement } = await import('../crypto/agreement.ts');
  const threads = args.threads ?? availableParallelism();
  const engine = new ThreadPoolEngine({
    threads,
    evaluation: args.evaluation,
    agreement: cheaperAgreement(stopwatch),
  });
  atEnd(() => engine[Symbol.asyncDispose]());
  return engine;
}
