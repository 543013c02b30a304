import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ConfigurationInvalid } from '../../common/errors.ts';
import type { KernelModule } from '../prio/web-assembly.ts';
import { builtFile } from './built.ts';

const NAME = 'facilitator/prio/kernel.wasm';

let kernel: KernelModule | undefined;

/**
 * The compiled code for `KernelEvaluator`; the same each time.
 * @throws ConfigurationInvalid if the build did not make it
 */
export function loadKernel(): KernelModule {
  return (kernel ??= new WebAssembly.Module(readBuilt(NAME)));
}

function readBuilt(name: string): Uint8Array {
  const path = fileURLToPath(builtFile(name));
  try {
    return readFileSync(path);
  } catch (err) {
    throw new ConfigurationInvalid(`${path} cannot be read: \`npm run build\` makes it`, { cause: err });
  }
}
