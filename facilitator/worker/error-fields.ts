import { describeError, namedFailure } from '../../common/errors.ts';

/** An error as log fields. Named errors say all there is to say; others are bugs, and need their stack. */
export function errorFields(error: unknown): Readonly<Record<string, unknown>> {
  const failure = namedFailure(error);
  return {
    error_code: failure?.code ?? 'E_UNEXPECTED',
    error: describeError(error),
    ...(!failure && error instanceof Error ? { stack: error.stack } : {}),
  };
}
