import { ConfigurationInvalid, namedFailure, PermissionDenied, UsageError } from '../errors.ts';

/** Every exit status of the programs; from 64 on as in BSD's sysexits(3). `docs/protocol.md`, "Exit statuses". */
export const EXIT_STATUS = {
  done: 0,
  failed: 1,
  usage: 64,
  permission: 77,
  configuration: 78,
} as const;

export type ExitStatus = (typeof EXIT_STATUS)[keyof typeof EXIT_STATUS];

/** How far a command had come: `prepare` has changed nothing yet, `run` may have. */
export type Phase = 'prepare' | 'run';

/**
 * The exit status for `err`. 77 and 78 promise that nothing was done, so in phase `run` the same errors give 1.
 * The outermost named error of the cause chain rules, as it does for the fate.
 */
export function exitStatusOf(err: unknown, phase: Phase): ExitStatus {
  const failure = namedFailure(err);
  if (failure instanceof UsageError) return EXIT_STATUS.usage;
  if (phase === 'run') return EXIT_STATUS.failed;
  if (failure instanceof PermissionDenied) return EXIT_STATUS.permission;
  if (failure instanceof ConfigurationInvalid) return EXIT_STATUS.configuration;
  return EXIT_STATUS.failed;
}
