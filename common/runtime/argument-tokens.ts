/** A command line, taken apart only as far as to keep the values of options away from the parser behind it. */
export interface SealedArguments {
  /** For the parser: `--name=<index into values>`, `-a=<index>`, `--help`, `--version` and words. */
  readonly argv: readonly string[];
  readonly values: readonly string[];
  /** What looks like an option but is declared nowhere, without value: `--colour`; see `shownName`. */
  readonly undeclared: readonly string[];
  /** Declared options that have no value, by name or letter. */
  readonly valueless: readonly string[];
}

/** `--name`, `--name=value`; the value may have line feeds. */
const LONG = /^--([^=]+)(?:=([\s\S]*))?$/;
/** `-p`, `-p5`, `-p=5`; not `-5`, which is a word. */
const SHORT = /^-([A-Za-z])(?:=?([\s\S]+))?$/;

/** Options without value; all others have exactly one. */
const SWITCHES = new Set(['help', 'version']);

/**
 * Splits `argv` (without executable and script). As every option takes exactly one value, the word after `--name`
 * is its value whatever it looks like, except another declared option, which means that the value was forgotten.
 *
 * Values are replaced by indices because yargs 18.2 does not leave them alone: it strips quotes (`--x='"a"'`) and
 * takes `--x -abc` for four options. Undeclared names are kept from it too: `--constructor=1` makes it throw a
 * TypeError, `--_=1` adds a word and `--get-yargs-completions` prints a list.
 */
export function sealArguments(argv: readonly string[], declared: ReadonlySet<string>): SealedArguments {
  const options: string[] = [];
  const words: string[] = [];
  const values: string[] = [];
  const undeclared: string[] = [];
  const valueless: string[] = [];
  const declares = (token: string | undefined): boolean => {
    const name = nameOf(token ?? '');
    return name !== undefined && (declared.has(name) || SWITCHES.has(name));
  };

  for (let i = 0; i < argv.length; i++) {
    // `i` is below `length`.
    const token = argv[i]!;
    if (token === '--') {
      words.push(...argv.slice(i + 1));
      break;
    }
    const [, name, attached] = (token === '-h' ? LONG.exec('--help') : (LONG.exec(token) ?? SHORT.exec(token))) ?? [];
    if (name === undefined) {
      words.push(token);
      continue;
    }
    if (SWITCHES.has(name)) {
      options.push(`--${name}`);
      continue;
    }
    const next = argv[i + 1];
    const value = attached ?? (next === undefined || next === '--' || declares(next) ? undefined : argv[++i]);
    if (!declared.has(name)) undeclared.push(shownName(token.startsWith('--') ? '--' : '-', name));
    else if (value === undefined) valueless.push(name);
    else options.push(`${name.length > 1 ? '--' : '-'}${name}=${values.push(value) - 1}`);
  }
  // The first word is the command; behind `--`, words like `-5` stay words.
  const sealed = [...options, ...words.slice(0, 1), '--', ...words.slice(1)];
  return { argv: sealed, values, undeclared, valueless };
}

/** The name in `--name`, `--name=…` and exactly `-p`: a value may well begin like `-pq`. */
function nameOf(token: string): string | undefined {
  if (token === '-h') return 'help';
  return LONG.exec(token)?.[1] ?? /^-([A-Za-z])$/.exec(token)?.[1];
}

/** A PEM key without its option looks like an option, too: what cannot be a name is not to be shown. */
function shownName(dashes: string, name: string): string {
  return /^[\w$][\w$.-]{0,59}$/.test(name) ? `${dashes}${name}` : '(hidden)';
}
