import { ConfigurationInvalid, PermissionDenied, UsageError } from '../errors.ts';

/** Does what can fail by an option, whose name the error then begins with. */
export function naming<T>(option: string, work: () => T): T {
  try {
    return work();
  } catch (err) {
    throw named(option, err);
  }
}

/** As `naming`, for work that takes time. */
export async function namingAsync<T>(option: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (err) {
    throw named(option, err);
  }
}

function named(option: string, err: unknown): unknown {
  for (const Failure of [UsageError, ConfigurationInvalid, PermissionDenied]) {
    if (err instanceof Failure) return new Failure(`${option}: ${err.message}`, { cause: err.cause });
  }
  return err;
}
