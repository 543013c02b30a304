import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** For `npm run e2e`: minutes, many processes, and every stand-in of `test/services/install.sh`. */
export default defineConfig({
  root: fileURLToPath(new URL('../../', import.meta.url)),
  test: {
    include: ['test/e2e/**/*.e2e.ts'],
    // Each of them is to have the machine for itself.
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 300_000,
    // Each stage is to be seen as it ends.
    disableConsoleIntercept: true,
  },
});
