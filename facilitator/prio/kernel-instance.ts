import type { KernelModule } from './web-assembly.ts';

/** What ./kernel/kernel.ts exports. Addresses are of bytes in `memory`; they are there once `setUp` was called. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  readonly rPits: WebAssembly.Global;
  readonly messages: WebAssembly.Global;
  readonly told: WebAssembly.Global;
  readonly chosen: WebAssembly.Global;
  readonly sum: WebAssembly.Global;
  /** 32 bytes each, one after the other. */
  readonly seeds: WebAssembly.Global;
  readonly shares: WebAssembly.Global;
  /** Bytes from a share to the next. */
  readonly stride: WebAssembly.Global;
  setUp(bins: number, points: number, isFirst: boolean, capacity: number, words: number): void;
  /** 1 or 0. */
  areElements(index: number, count: number): number;
  /** The place of the first share for which `blocks` were too few, or `end`. */
  expandSeeds(begin: number, end: number, blocks: number): number;
  keepElements(index: number, count: number): number;
  evaluate(count: number): void;
  accumulate(count: number): void;
}

export function instantiate(module: KernelModule): KernelExports {
  // The module is compiled from ./kernel/kernel.ts, whose exports the interface repeats.
  return new WebAssembly.Instance(module).exports as unknown as KernelExports;
}
