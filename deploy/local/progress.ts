import { SingleBar } from 'cli-progress';

/** How far one stage is. */
export interface StageProgress {
  /** One more item is done. */
  advance(): void;
  /** The stage has ended, well or not. */
  stop(): void;
}

/** Shows stages: a bar on a terminal, otherwise a plain line at begin and end. */
export type ShowStage = (name: string, total: number, alreadyDone: number) => StageProgress;

export function stagesOn(stream: NodeJS.WritableStream, isTerminal: boolean): ShowStage {
  return isTerminal
    ? (name, total, done) => bar(stream, name, total, done)
    : (name, total, done) => lines(stream, name, total, done);
}

function bar(stream: NodeJS.WritableStream, name: string, total: number, done: number): StageProgress {
  const progress = new SingleBar({
    stream,
    format: `${name.padEnd(28)} {bar} {value}/{total}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
  });
  progress.start(total, done);
  return { advance: () => progress.increment(), stop: () => progress.stop() };
}

function lines(stream: NodeJS.WritableStream, name: string, total: number, alreadyDone: number): StageProgress {
  let done = alreadyDone;
  const show = (what: string): void => void stream.write(`${name}: ${what}\n`);
  show(alreadyDone === 0 ? `${total} to do` : `${total - done} to do, ${alreadyDone} done before`);
  return { advance: () => void done++, stop: () => show(`${done} of ${total} done`) };
}
