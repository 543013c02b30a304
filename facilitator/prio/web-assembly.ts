/*
 * What is used here of WebAssembly's interface for JavaScript, which TypeScript declares only together with all that
 * browsers have. Source: W3C, "WebAssembly JavaScript Interface".
 */
declare global {
  namespace WebAssembly {
    /** Compiled code; threads can pass it to each other. */
    class Module {
      /** @throws CompileError */
      constructor(bytes: Uint8Array);
      /** Tells modules from other objects. */
      private readonly compiled: unknown;
    }

    class Instance {
      constructor(module: Module);
      readonly exports: Readonly<Record<string, unknown>>;
    }

    interface Memory {
      readonly buffer: ArrayBuffer;
    }

    interface Global {
      readonly value: number;
    }
  }
}

/** The kernel of ./kernel/, compiled; facilitator/packets/kernel-file.ts has it. */
export type KernelModule = WebAssembly.Module;
