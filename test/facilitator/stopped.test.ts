import { describe, expect, it } from 'vitest';
import { CASES } from '../support/cases.ts';
import { FACILITATOR, run } from '../support/child-process.ts';
import { commandLine, intakeOptions, sampleOptions } from '../support/command-options.ts';
import { linesAfterStart } from '../support/log-lines.ts';
import { runFacilitator } from '../support/run-facilitator.ts';
import { filesIn, temporaryDirectory } from '../support/temp-directory.ts';

const root = temporaryDirectory();
const PRELOAD = new URL('../support/signal-at-decryption.mjs', import.meta.url).href;

/** Enough packets for several chunks. */
const PACKETS = 2000;

function intakeOfSample(): string[] {
  const { 'batch-id': id, date } = sampleOptions('');
  // Each thread counts for itself what it decrypts.
  const input = { threads: '1', 'aggregation-id': 'sample', 'ingestor-input': `${root()}/facilitator` };
  return commandLine('intake-batch', { ...intakeOptions(root()), ...input, 'batch-id': id!, date: date! });
}

describe('intake-batch that is asked to end', () => {
  it.each(['SIGTERM', 'SIGINT'])('by %s does so within a batch, with 1, and has written nothing', async (SIGNAL) => {
    const sample = { ...sampleOptions(root()), 'packet-count': String(PACKETS), dimension: '1' };
    expect(await runFacilitator(commandLine('generate-ingestion-sample', sample))).toMatchObject({ status: 0 });
    const before = filesIn(root());

    const env = { SIGNAL, SIGNAL_AT: '10' };
    const stopped = await run(FACILITATOR, intakeOfSample(), { node: ['--import', PRELOAD], env });
    expect(stopped).toMatchObject({ status: 1, signal: null, stdout: '' });
    expect(linesAfterStart(stopped.stderr)).toMatchObject([{ severity: 'ERROR', error: `stopped by ${SIGNAL}` }]);
    expect(filesIn(root())).toEqual(before);

    // Nothing that was left behind hinders the next run.
    const again = await runFacilitator(intakeOfSample());
    expect(again.status).toBe(0);
    expect(linesAfterStart(again.stderr)).toMatchObject([{ packets: PACKETS }]);
  });

  it('is ended by a second signal at once', async () => {
    const sample = { ...sampleOptions(root()), 'packet-count': String(PACKETS), dimension: '1' };
    expect(await runFacilitator(commandLine('generate-ingestion-sample', sample))).toMatchObject({ status: 0 });
    const env = { SIGNAL: 'SIGTERM,SIGINT', SIGNAL_AT: '10,20' };
    const stopped = await run(FACILITATOR, intakeOfSample(), { node: ['--import', PRELOAD], env });
    expect(stopped).toMatchObject({ status: null, signal: 'SIGINT' });
  });

  it('is not disturbed by a signal that is never sent', async () => {
    const options = { ...intakeOptions(root()), 'ingestor-input': `${CASES}/ordinary/facilitator/ingestion` };
    const env = { SIGNAL: 'SIGTERM', SIGNAL_AT: '100000' };
    const ended = await run(FACILITATOR, commandLine('intake-batch', options), { node: ['--import', PRELOAD], env });
    expect(ended).toMatchObject({ status: 0, signal: null });
  });
});
