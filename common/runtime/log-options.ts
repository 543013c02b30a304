import type { LogLevel } from './log.ts';
import { optionOf, type ValueKind } from './option-spec.ts';
import { flag } from './option-values.ts';

/** Own names, pino's, and the short forms that the reference takes in RUST_LOG. */
const LEVELS: ReadonlyMap<string, LogLevel> = new Map([
  ['off', 'silent'],
  ['critical', 'fatal'],
  ['crit', 'fatal'],
  ['fatal', 'fatal'],
  ['error', 'error'],
  ['erro', 'error'],
  ['warning', 'warn'],
  ['warn', 'warn'],
  ['info', 'info'],
  ['debug', 'debug'],
  ['debg', 'debug'],
  ['trace', 'trace'],
  ['trce', 'trace'],
]);

const FORM = 'off | critical | error | warning | info | debug | trace';

const LEVEL: ValueKind<LogLevel> = {
  parse: (text) => {
    const value = LEVELS.get(text.toLowerCase());
    return value === undefined ? { refused: `is none of ${FORM.replaceAll(' |', ',')}` } : { value };
  },
  form: FORM,
  example: 'debug',
};

/** The options of logging, which every command of every program takes. Case does not matter in `log-level`. */
export const logOptions = {
  'log-level': optionOf(LEVEL, {
    describe: 'least severity of the lines to log',
    default: 'info',
    legacyEnv: 'RUST_LOG',
  }),
  'force-json-log-output': flag({
    describe: 'log JSON also to a terminal',
    default: false,
    legacyEnv: 'FORCE_JSON_LOG_OUTPUT',
  }),
};
