import { integer } from '../../common/runtime/option-values.ts';

/** Where a worker can be watched; every worker takes it. */
export const operationsOptions = {
  'metrics-scrape-port': integer(0, 65_535, {
    describe: 'port of /metrics, /healthz, /readyz and /loglevel; 0 for any free one, which is logged',
    default: 8080,
    example: '8080',
    legacyEnv: 'METRICS_SCRAPE_PORT',
  }),
} as const;
