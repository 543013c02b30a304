import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    benchmark: { include: ['bench/**/*.bench.ts'] },
    testTimeout: 30_000,
    // Tests that run at once within a file start many processes each; leases of seconds must not starve.
    maxConcurrency: 2,
  },
});
