import prettyPrint from 'pino-pretty';

/**
 * Wraps the `write` of `LogSettings`: turns JSON lines into text for people at a terminal. In a file of its own to
 * be imported when needed: loading pino-pretty takes longer than everything else at the start of a program.
 */
export function prettyWriter(write: (text: string) => void, colour: boolean): (line: string) => void {
  const format = prettyPrint.prettyFactory({
    messageKey: 'message',
    levelKey: 'severity',
    timestampKey: 'time',
    translateTime: 'UTC:yyyy-mm-dd"T"HH:MM:ss"Z"',
    ignore: 'version',
    singleLine: true,
    // Our `error` is a text, which pino-pretty would take for an error object and put on a line of its own.
    errorLikeObjectKeys: [],
    colorize: colour,
    customLevels: 'debug:20,info:30,warning:40,error:50,critical:60',
    customColors: 'debug:blue,info:green,warning:yellow,error:red,critical:bgRed',
  });
  return (line) => write(format(line));
}
