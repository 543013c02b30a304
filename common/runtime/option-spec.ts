/** What became of the text of a value: the value, or why there is none, e.g. `is no UUID`. */
export type Parsed<V> = { readonly value: V } | { readonly refused: string };

/** Turns one text into a value. Never throws on bad text, and never repeats the text in `refused`. */
export type ValueParser<V> = (text: string) => Parsed<V>;

/** One kind of values: how they are read and shown. */
export interface ValueKind<V> {
  readonly parse: ValueParser<V>;
  /** For help and errors, short: `UUID`, `true or false`. */
  readonly form: string;
  /** A value as it is typed. */
  readonly example: string;
  /** The text of a value, for showing a default. Default: `String`. */
  readonly show?: (value: V) => string;
  /** See `OptionSpec.bare`. */
  readonly bare?: boolean;
}

interface CommonSettings {
  /** One sentence for help, lower-case, no full stop. */
  readonly describe: string;
  /** A value as it is typed, shown in errors and help. Default: that of the kind. */
  readonly example?: string;
  /** The value is never shown: not in errors, help or logs. */
  readonly secret?: true;
  /** A second variable that sets it, without prefix, as in manifests for the reference implementation. */
  readonly legacyEnv?: string;
  /** One letter: `p` for `-p`. */
  readonly alias?: string;
  /** Works, but help does not list it. */
  readonly hidden?: true;
  /** `--x ''` means "not given" (and beats the environment) instead of being refused. */
  readonly emptyIsUnset?: true;
}

/** Required, or optional with or without default; a repeatable option has a list for its value. */
type Presence<V> =
  | { readonly required: true; readonly default?: never; readonly repeat?: true }
  | { readonly required?: never; readonly default?: V; readonly repeat?: never }
  | { readonly required?: never; readonly default?: readonly V[]; readonly repeat: true };

export type OptionSettings<V> = CommonSettings & Presence<V>;

/** What `run` gets for an option of values `V` with the settings `S`. */
export type Resolved<V, S> = S extends { readonly repeat: true }
  ? readonly V[]
  : S extends { readonly required: true } | { readonly default: unknown }
    ? V
    : V | undefined;

/** One option of a table. Made by `optionOf` and the makers in `option-values.ts`. */
export interface OptionSpec<T> {
  readonly describe: string;
  readonly form: string;
  readonly example: string;
  readonly repeat: boolean;
  readonly secret: boolean;
  readonly hidden: boolean;
  readonly emptyIsUnset: boolean;
  readonly legacyEnv: string | undefined;
  readonly alias: string | undefined;
  /** `--x` alone means the text `true`; the next word is its value only if it is `true` or `false`. */
  readonly bare: boolean;
  /** For help; `undefined` if there is none or it is secret. */
  readonly defaultText: string | undefined;
  /** What holds if the option is not given; `undefined` for a required option. */
  readonly fallback: { readonly value: T } | undefined;
  /** Reads at least one text, exactly one unless `repeat`; `text` is the one that was refused. */
  readonly read: (texts: readonly string[]) => Parsed<T> & { readonly text?: string };
}

/**
 * Makes an option out of a kind of values and its settings. The makers in `option-values.ts` are short forms.
 * @example optionOf({ parse: parseLevel, form: 'level', example: 'info' }, { describe: 'least level', default: 'info' })
 */
export function optionOf<V, const S extends OptionSettings<V>>(
  kind: ValueKind<V>,
  settings: S,
): OptionSpec<Resolved<V, S>> {
  const { repeat = false, secret = false, required = false } = settings;
  const fallback = settings.default ?? (repeat ? [] : undefined);
  const show = kind.show ?? String;
  return {
    describe: settings.describe,
    form: kind.form,
    example: settings.example ?? kind.example,
    repeat,
    secret,
    hidden: settings.hidden ?? false,
    emptyIsUnset: settings.emptyIsUnset ?? false,
    legacyEnv: settings.legacyEnv,
    alias: settings.alias,
    bare: kind.bare ?? false,
    defaultText: settings.default === undefined || secret ? undefined : showAll(settings.default, repeat, show),
    // By `Presence` and `Resolved`, these are a list exactly if `repeat`, and `undefined` only if that is allowed.
    fallback: required ? undefined : { value: fallback as Resolved<V, S> },
    read: (texts) => {
      const values: V[] = [];
      for (const text of texts) {
        const parsed = kind.parse(text);
        if ('refused' in parsed) return { ...parsed, text };
        values.push(parsed.value);
      }
      return { value: (repeat ? values : values[0]) as Resolved<V, S> };
    },
  };
}

function showAll<V>(value: V | readonly V[], repeat: boolean, show: (value: V) => string): string {
  // `Presence`: the default of a repeatable option is a list, that of any other is one value.
  return repeat ? (value as readonly V[]).map(show).join(',') : show(value as V);
}
