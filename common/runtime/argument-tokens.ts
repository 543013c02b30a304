/** A command line, taken apart; which command it is for does not matter. */
export interface ArgumentTokens {
  /** Name or letter of each declared option, as it was typed but without dashes, and its value; in order. */
  readonly options: readonly (readonly [form: string, value: string])[];
  /** Those of `--help` and `--version` that were typed. */
  readonly switches: ReadonlySet<string>;
  /** All that is neither option nor value, in order. */
  readonly words: readonly string[];
  /** What looks like an option but is declared nowhere, without value: `--colour`; see `shownName`. */
  readonly undeclared: readonly string[];
  /** Declared options that have no value, by name or letter. */
  readonly valueless: readonly string[];
}

/** `--name`, `--name=value`; the value may have line feeds. */
const LONG = /^--([^=]+)(?:=([\s\S]*))?$/;
/** `-p`, `-p5`, `-p=5`; not `-5`, which is a word. */
const SHORT = /^-([A-Za-z])(?:=?([\s\S]+))?$/;

/** `-name`, `-name=value`: Go programs take one dash for two. */
const LONG_BY_ONE_DASH = /^-([A-Za-z][^=]+)(?:=([\s\S]*))?$/;

/** Options without value; all others have exactly one. */
const SWITCHES = new Set(['help', 'version']);

/** Which options there are, by names and letters without dashes. */
export interface DeclaredNames {
  readonly all: ReadonlySet<string>;
  /** Those that may stand without value, see `OptionSpec.bare`. */
  readonly bare: ReadonlySet<string>;
}

/**
 * Splits `argv` (without executable and script). As every option takes exactly one value, the word after `--name`
 * is its value whatever it looks like, except another declared option, which means that the value was forgotten. A
 * bare option, the exception, has the value `true` unless `true` or `false` follows.
 */
export function argumentTokens(argv: readonly string[], declared: DeclaredNames): ArgumentTokens {
  const options: [string, string][] = [];
  const switches = new Set<string>();
  const words: string[] = [];
  const undeclared: string[] = [];
  const valueless: string[] = [];
  const declares = (token: string | undefined): boolean => {
    const name = nameOf(token ?? '');
    return name !== undefined && (declared.all.has(name) || SWITCHES.has(name));
  };

  for (let i = 0; i < argv.length; i++) {
    // `i` is below `length`.
    const token = argv[i]!;
    if (token === '--') {
      words.push(...argv.slice(i + 1));
      break;
    }
    const [, name, attached] = optionIn(token, declared.all) ?? [];
    if (name === undefined) {
      words.push(token);
      continue;
    }
    if (SWITCHES.has(name)) {
      switches.add(name);
      continue;
    }
    const next = argv[i + 1];
    const bare = declared.bare.has(name);
    const nextIsValue = bare ? next === 'true' || next === 'false' : next !== '--' && !declares(next);
    // At the end of `argv` there is nothing to take.
    const value = attached ?? (nextIsValue ? argv[++i] : bare ? 'true' : undefined);
    if (!declared.all.has(name)) undeclared.push(shownName(token.startsWith('--') ? '--' : '-', name));
    else if (value === undefined) valueless.push(name);
    else options.push([name, value]);
  }
  return { options, switches, words, undeclared, valueless };
}

/** The match of an option: name, and value if one is attached. */
function optionIn(token: string, declared: ReadonlySet<string>): RegExpExecArray | null {
  if (token === '-h') return LONG.exec('--help');
  const long = LONG_BY_ONE_DASH.exec(token);
  // Only names that are declared: all else may be a letter with its value. The first group takes part in every match.
  if (long && (declared.has(long[1]!) || SWITCHES.has(long[1]!))) return long;
  return LONG.exec(token) ?? SHORT.exec(token);
}

/** The name in `--name`, `--name=…` and exactly `-p`: a value may well begin like `-pq`. */
function nameOf(token: string): string | undefined {
  if (token === '-h') return 'help';
  return LONG.exec(token)?.[1] ?? /^-([A-Za-z])$/.exec(token)?.[1];
}

/** A PEM key without its option looks like an option, too: what cannot be a name is not to be shown. */
export function shownName(dashes: string, name: string): string {
  return /^[\w$][\w$.-]{0,59}$/.test(name) ? `${dashes}${name}` : '(hidden)';
}
