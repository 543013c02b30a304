import type { OptionSpec } from './option-spec.ts';
import { missingOptions, type Args, type OptionTable } from './options.ts';

/** As `T`, but none is required. */
export type Relaxed<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends OptionSpec<infer V> ? OptionSpec<V | undefined> : never;
};

/** The same options, each `undefined` if it is not given and has no default; for `requireGiven` to look at later. */
export function relaxed<const T extends OptionTable>(table: T): Relaxed<T> {
  const entries = Object.entries(table).map(([name, spec]) => [
    name,
    spec.fallback ? spec : { ...spec, fallback: { value: undefined } },
  ]);
  // Name by name, the specs of the table.
  return Object.fromEntries(entries) as Relaxed<T>;
}

/**
 * The options of two relaxed tables; what both have must be the same option, read in the same way, and may be described
 * in two ways.
 */
export function unionOf<const A extends OptionTable, const B extends OptionTable>(first: A, second: B): A & B {
  const both = Object.entries(second).map(([name, spec]): [string, OptionSpec<unknown>] => {
    const other = first[name];
    if (!other || other.describe === spec.describe) return [name, spec];
    return [name, { ...spec, describe: `${other.describe}; or ${spec.describe}` }];
  });
  // Name by name, the specs of both tables.
  return { ...first, ...Object.fromEntries(both) } as A & B;
}

/**
 * The arguments of a table out of those of its relaxed form.
 * @throws UsageError if required ones are missing
 */
export function requireGiven<const T extends OptionTable>(table: T, args: Args<Relaxed<T>>): Args<T> {
  const values: Readonly<Record<string, unknown>> = args;
  const missing = Object.entries(table).filter(([name, { fallback }]) => !fallback && values[name] === undefined);
  if (missing.length > 0) throw missingOptions(missing);
  // Those that were relaxed have values.
  return args as Args<T>;
}
