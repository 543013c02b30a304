import type { OptionSpec } from './option-spec.ts';

/** Environment variables by name, e.g. `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** `FACILITATOR_IS_FIRST` for the option `is-first` of a program with the prefix `FACILITATOR`. */
export function variableName(prefix: string, option: string): string {
  return `${prefix}_${option.replaceAll('-', '_').toUpperCase()}`;
}

/** The variables that can set an option, the one that wins first. */
export function variablesOf(prefix: string, option: string, spec: OptionSpec<unknown>): readonly string[] {
  const own = variableName(prefix, option);
  return spec.legacyEnv === undefined ? [own] : [own, spec.legacyEnv];
}

/**
 * The value that the environment gives an option. Only the names of `variablesOf` are looked at: Kubernetes adds
 * variables like `FACILITATOR_SERVICE_HOST` for every service of the namespace, which must not do anything.
 * An empty variable counts as unset, since manifests cannot leave one out conditionally.
 */
export function fromEnvironment(
  prefix: string,
  option: string,
  spec: OptionSpec<unknown>,
  env: Environment,
): { readonly variable: string; readonly text: string } | undefined {
  for (const variable of variablesOf(prefix, option, spec)) {
    const text = env[variable];
    if (text !== undefined && text !== '') return { variable, text };
  }
  return undefined;
}
