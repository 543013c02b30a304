import { createECDH } from 'node:crypto';

/*
 * What the runtime's ECDH costs alone: prints microseconds of processor time for each call, as JSON. Every packet's
 * intake has one call at least.
 */

const POINTS = 256;
const WARM_UP_CALLS = 2000;
const MEASURED_CALLS = 20_000;

const own = createECDH('prime256v1');
own.generateKeys();
const points = Array.from({ length: POINTS }, () => createECDH('prime256v1').generateKeys());

function call(times: number): void {
  for (let i = 0; i < times; i++) own.computeSecret(points[i % POINTS]!); // within the list
}

call(WARM_UP_CALLS);
const before = process.cpuUsage();
call(MEASURED_CALLS);
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${JSON.stringify({ cpuUs: (user + system) / MEASURED_CALLS })}\n`);
