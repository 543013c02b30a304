import type { Writable } from 'node:stream';

/** Where a command writes its result. */
export interface Output {
  /**
   * Resolves once the chunk is with the operating system: `true`, or `false` if nobody reads any more (as in
   * `inspect … | head`), upon which the command may stop early. Writing on does no harm.
   */
  write(chunk: string | Uint8Array): Promise<boolean>;
}

/** Node ignores SIGPIPE, so a closed pipe shows as EPIPE; writes after the first one find the stream destroyed. */
const READER_GONE = new Set(['EPIPE', 'ERR_STREAM_DESTROYED']);

/** An `Output` over a stream. Takes EPIPE as the end of the output; any other error rejects the write. */
export function outputOf(stream: Writable): Output {
  let readerGone = false;
  // The callback of each write tells the same error; without a listener the event would end the process.
  stream.on('error', () => {});
  return {
    write: async (chunk) => {
      if (readerGone) return false;
      return new Promise<boolean>((resolve, reject) => {
        stream.write(chunk, (err?: NodeJS.ErrnoException | null) => {
          if (!err) return resolve(true);
          readerGone = READER_GONE.has(err.code ?? '');
          return readerGone ? resolve(false) : reject(err);
        });
      });
    },
  };
}
