import type { Ended } from './child-process.ts';

/** What a process used in all. */
export interface ResourceUse {
  /** User and system. */
  readonly cpuMs: number;
  /** From its start to its end. */
  readonly wallMs: number;
  /** Resident. */
  readonly peakMiB: number;
}

/** For `ProcessOptions.node`. */
export const TELLS_RESOURCE_USE = ['--import', new URL('./resource-use.mjs', import.meta.url).href];

/** What a process that was started with `TELLS_RESOURCE_USE` used. */
export function resourceUse({ third }: Ended): ResourceUse {
  return JSON.parse(third) as ResourceUse;
}
