import { describe, expect, it } from 'vitest';
import { keys } from '../support/cases.ts';
import { FACILITATOR, run } from '../support/child-process.ts';
import { aggregateOptions, commandLine, intakeOptions, ORDINARY, sampleOptions } from '../support/command-options.ts';
import { keyFragmentsIn } from '../support/key-fragments.ts';
import { logLines, type LogLine } from '../support/log-lines.ts';
import { runFacilitator } from '../support/run-facilitator.ts';
import { temporaryDirectory } from '../support/temp-directory.ts';

const root = temporaryDirectory();

const SECRETS = [keys.fac_sign.pkcs8, keys.fac_enc.x963priv, keys.ingestor.pkcs8];

/** The lines of a run that succeeds, each of which is as every line must be. */
async function linesOf(argv: readonly string[]): Promise<LogLine[]> {
  const { status, stdout, stderr } = await runFacilitator([...argv, '--log-level', 'debug']);
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  expect(keyFragmentsIn(stderr, SECRETS)).toEqual([]);
  expect(stderr).not.toMatch(/argv|--[a-z]/);
  const lines = logLines(stderr);
  for (const line of lines) {
    expect(line).toMatchObject({
      severity: expect.stringMatching(/^(?:DEBUG|INFO|WARNING)$/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      message: expect.stringMatching(/./),
      version: '0.0.0',
    });
  }
  return lines;
}

const common = { severity: 'INFO', time: '2026-11-20T10:00:00.000Z', version: '0.0.0' };
const INTAKE_STARTED = {
  ...common,
  aggregation_id: ORDINARY.aggregation_id,
  batch_id: ORDINARY.batches[0]!.id,
  message: 'intake started',
};

describe('the log of a success', () => {
  it('has a line when an intake begins, and one when it is done: which batch, how many packets', async () => {
    const lines = await linesOf(commandLine('intake-batch', intakeOptions(root())));
    expect(lines).toMatchObject([
      INTAKE_STARTED,
      {
        ...common,
        aggregation_id: ORDINARY.aggregation_id,
        batch_id: ORDINARY.batches[0]!.id,
        packets: expect.any(Number),
        packets_without_message: 0,
        message: 'batch taken in',
      },
    ]);
    expect(lines[1]!['packets']).toBeGreaterThan(0);
  });

  it('has a line when an aggregation begins, one for each batch and one for the sum part', async () => {
    const lines = await linesOf(commandLine('aggregate', aggregateOptions(root())));
    const { aggregation_id, batches, reference_result } = ORDINARY;
    const perBatch = batches.map(({ id }) => ({
      ...common,
      aggregation_id,
      batch_id: id,
      packets: expect.any(Number),
      invalid_packets: 0,
      repeated_packets: 0,
      message: 'batch summed',
    }));
    const packets = reference_result.aggregate.facilitator.sum_part!.total_individual_clients;
    expect(lines).toMatchObject([
      { ...common, aggregation_id, batches: batches.length, message: 'aggregation started' },
      ...perBatch,
      {
        ...common,
        aggregation_id,
        window_begin: ORDINARY.aggregation_start,
        window_end: ORDINARY.aggregation_end,
        batches: batches.length,
        packets,
        invalid_packets: 0,
        message: 'sum part published',
      },
    ]);
    const counted = lines.slice(1, -1).map((line) => Number(line['packets']));
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(packets);
  });

  it('names the batch that was generated', async () => {
    expect(await linesOf(commandLine('generate-ingestion-sample', sampleOptions(root())))).toMatchObject([
      {
        ...common,
        aggregation_id: 'sample',
        batch_id: '9f2a4c1e-5b7d-4e3f-8a6b-0c1d2e3f4a5b',
        batch_time: '2026/11/20/10/30',
        packets: 3,
        message: 'sample written',
      },
    ]);
  });

  it('is empty with --log-level off', async () => {
    const argv = [...commandLine('intake-batch', intakeOptions(root())), '--log-level', 'off'];
    expect(await runFacilitator(argv)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('has the version of the package if a process writes it', async () => {
    const { stderr, status } = await run(FACILITATOR, commandLine('intake-batch', intakeOptions(root())));
    expect(status).toBe(0);
    const version: unknown = expect.stringMatching(/^\d+\.\d+\.\d+/);
    expect(logLines(stderr)).toMatchObject([{ version }, { version }]);
  });
});

describe('the log of a failure', () => {
  it('is one line with code, fate and reason, and no stack for a failure that has a name', async () => {
    const argv = commandLine('intake-batch', { ...intakeOptions(root()), date: '2026/11/20/10/59' });
    const { stderr, status } = await runFacilitator(argv);
    expect(status).toBe(1);
    const lines = logLines(stderr);
    expect(lines[1]).not.toHaveProperty('stack');
    expect(lines).toMatchObject([
      INTAKE_STARTED,
      {
        ...common,
        severity: 'ERROR',
        error_code: 'E_OBJECT_MISSING',
        error: expect.stringContaining(`no object '${ORDINARY.aggregation_id}/2026/11/20/10/59/`),
        fate: 'retry',
        message: 'intake-batch failed',
      },
    ]);
  });
});
