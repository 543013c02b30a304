import { mkdirSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { aggregateMarker, intakeMarker } from '../../common/domain/marker.ts';
import { logLines } from '../support/log-lines.ts';
import {
  aggregateMessage,
  argumentsOf,
  batchAt,
  IN_INTAKE,
  IN_WINDOW,
  intakeMessage,
  messagesIn,
  objectsOf,
  placesIn,
  publisherOptions,
  runPublisherCommand,
  WINDOW,
  writeObjects,
  type Places,
} from '../support/publisher.ts';
import { temporaryDirectory } from '../support/temp-directory.ts';

const root = temporaryDirectory();
let places: Places;
beforeEach(() => {
  places = placesIn(root());
  mkdirSync(places.ingestion);
});

const changed = (changes: Readonly<Record<string, string>>): string[] =>
  argumentsOf({ ...publisherOptions(root()), ...changes });

const published = (): unknown => ({
  intake: messagesIn(places.intakeTasks),
  aggregate: messagesIn(places.aggregateTasks),
});

describe('--output=json', () => {
  it.each([true, false])('prints plan and summary as one document; dry run: %s', async (isDryRun) => {
    writeObjects(places.ingestion, [
      ...objectsOf('a', batchAt(IN_INTAKE), 'batch'),
      ...objectsOf('a', batchAt(IN_WINDOW), 'batch'),
    ]);
    writeObjects(places.peerValidation, objectsOf('a', batchAt(IN_WINDOW), 'validity_0'));
    writeObjects(places.ownValidation, objectsOf('a', batchAt(IN_WINDOW), 'validity_1'));
    const ran = await runPublisherCommand(changed({ output: 'json', 'dry-run': String(isDryRun) }));
    expect(ran.status).toBe(0);
    const status = isDryRun ? 'planned' : 'published';
    expect(JSON.parse(ran.stdout)).toMatchObject({
      'dry-run': isDryRun,
      plan: {
        tasks: [
          {
            task: 'intake',
            status,
            marker: intakeMarker('a', batchAt(IN_INTAKE)),
            message: JSON.parse(intakeMessage('a')),
          },
          {
            task: 'aggregate',
            status,
            marker: aggregateMarker('a', WINDOW),
            message: JSON.parse(aggregateMessage('a', WINDOW, [batchAt(IN_WINDOW)])),
          },
        ],
        jobs: [],
      },
      summary: { aggregations: 1, failures: 0, intake_tasks_scheduled: 1, aggregation_tasks_scheduled: 1 },
      aggregations: { a: { intake_batches_missed: 1, batches_in_aggregation: 1 } },
      held: [],
      failures: [],
    });
    expect(published()).toEqual(
      isDryRun
        ? { intake: [], aggregate: [] }
        : {
            intake: [intakeMessage('a')],
            aggregate: [aggregateMessage('a', WINDOW, [batchAt(IN_WINDOW)])],
          },
    );
  });

  it('tells of failures, too', async () => {
    writeObjects(places.ingestion, objectsOf('a', batchAt(IN_WINDOW), 'batch'));
    writeObjects(places.peerValidation, objectsOf('a', batchAt(IN_WINDOW), 'validity_0'));
    const ran = await runPublisherCommand(changed({ output: 'json' }));
    expect(ran.status).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      summary: { failures: 1 },
      failures: [{ aggregation_id: 'a', stage: 'aggregate', error_code: 'E_OWN_VALIDATIONS_MISSING' }],
    });
  });
});

describe('the log', () => {
  it('ends with the figures of the run, requests included', async () => {
    writeObjects(places.ingestion, objectsOf('a', batchAt(IN_INTAKE), 'batch'));
    const { stderr } = await runPublisherCommand(changed({}));
    expect(logLines(stderr).at(-1)).toMatchObject({
      severity: 'INFO',
      message: 'run finished',
      aggregations: 1,
      intake_tasks_scheduled: 1,
      storage_requests: { list: 7 },
    });
  });

  it.each([
    ['3h59m', true],
    ['4h', false],
  ])('warns of --intake-max-age=%s if it is shorter than period and grace: %s', async (maxAge, warns) => {
    const { stderr } = await runPublisherCommand(changed({ 'intake-max-age': maxAge }));
    expect(stderr.includes('--intake-max-age is shorter')).toBe(warns);
  });
});
