import type { ServerIndex } from '../../common/domain/batch-path.ts';
import type { Agreement } from '../crypto/agreement.ts';
import type { PackedChunk } from './packed-chunk.ts';
import type { PackedFailure } from './failures.ts';

/** How shares are evaluated: by the kernel, or by the TypeScript that it is held to. */
export type Evaluation = 'webassembly' | 'typescript';

/** What a thread is given when it starts. */
export interface ThreadSetup {
  /** The kernel; without it the TypeScript model evaluates. */
  readonly kernel: WebAssembly.Module | undefined;
  readonly agreement: Agreement;
}

/** `BatchContext` as it goes to a thread: keys as their scalars. */
export interface PackedContext {
  readonly bins: number;
  readonly server: ServerIndex;
  readonly scalars: readonly Uint8Array[];
}

export interface OpenRequest {
  readonly chunk: PackedChunk;
  readonly context: PackedContext;
}

export interface SumRequest extends OpenRequest {
  readonly positions: Uint32Array;
}

export interface CheckRequest {
  readonly chunk: PackedChunk;
}

export type Outcome<T> = { readonly value: T } | { readonly failure: PackedFailure };

/** What a thread answers, with the chunk's memory. Errors that nobody expects are thrown. */
export type Answer<T> = Outcome<T> & { readonly memory: ArrayBuffer };
