import type { Jobs } from './jobs.ts';

/** Deletes nothing: prints `would delete job NAMESPACE/NAME (uid UID)` for each Job, without line feed. Lists `base`'s. */
export function dryRunJobs(base: Jobs, print: (line: string) => void): Jobs {
  return {
    url: base.url,
    list: (signal) => base.list(signal),
    delete: async ({ namespace, name, uid }, signal) => {
      signal?.throwIfAborted();
      print(`would delete job ${namespace}/${name} (uid ${uid})`);
      return 'deleted';
    },
  };
}
