import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { HOUR_MS } from '../../common/domain/interval.ts';
import { ADMIN_TOKEN, startKubeApiServer, type KubeApiServer } from '../services/kube-apiserver.ts';
import { startPushgateway } from '../services/pushgateway.ts';
import { freePort, withoutTools, type Service } from '../services/service.ts';
import { run, type Ended } from '../support/child-process.ts';
import { OLD_AGGREGATE_NAME, OLD_INTAKE_NAME } from '../support/jobs.ts';
import { KubeObjects } from '../support/kube-objects.ts';
import { logLines, type LogLine } from '../support/log-lines.ts';
import {
  argumentsOf,
  batchAt,
  IN_INTAKE,
  IN_WINDOW,
  intakeMessage,
  messagesIn,
  objectsOf,
  placesIn,
  publisherOptions,
  WORKFLOW_MANAGER,
  writeObjects,
  type Places,
} from '../support/publisher.ts';
import { temporaryDirectory } from '../support/temp-directory.ts';

/* What a run does besides publishing, in the program as it is installed. */

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const root = temporaryDirectory();
let places: Places;
beforeEach(() => {
  places = placesIn(root());
  mkdirSync(places.ingestion);
  writeObjects(places.ingestion, objectsOf('a', batchAt(IN_INTAKE), 'batch'));
});

const publish = (changes: Readonly<Record<string, string>>): Promise<Ended> =>
  run(WORKFLOW_MANAGER, argumentsOf({ ...publisherOptions(root()), ...changes }));

const errorsOf = ({ stderr }: Ended): LogLine[] => logLines(stderr).filter(({ severity }) => severity === 'ERROR');
const published = (): string[] => messagesIn(places.intakeTasks);

/** Makes every run fail: the peer has validated a batch, we have not. */
function breakWindow(): void {
  writeObjects(places.ingestion, objectsOf('a', batchAt(IN_WINDOW), 'batch'));
  writeObjects(places.peerValidation, objectsOf('a', batchAt(IN_WINDOW), 'validity_0'));
}

describe.skipIf(withoutTools('metrics of runs', 'prometheus-pushgateway'))('metrics', () => {
  let gateway: Service;
  const LABELS = { 'k8s-namespace': 'us/ca', 'ingestor-label': 'in gestor', 'reap-jobs': 'false' };
  beforeEach(async () => {
    gateway = await startPushgateway();
    return () => gateway[Symbol.asyncDispose]();
  });

  /** The samples of the publisher, by name and labels. */
  async function samples(): Promise<Map<string, number>> {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith('workflow_manager_'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))] as const),
    );
  }
  const named = (name: string, labels = ''): string =>
    `workflow_manager_${name}{${labels}ingestor="in gestor",instance="",job="workflow-manager",locality="us/ca"}`;
  const ofAggregation = (name: string): string => named(name, 'aggregation_id="a",');

  it('are pushed after a success, under the names and labels of the reference', async () => {
    expect(await publish({ ...LABELS, 'push-gateway': gateway.url })).toMatchObject({ status: 0 });
    const found = await samples();
    expect(found.get(ofAggregation('ingestions_found'))).toBe(1);
    expect(found.get(ofAggregation('intake_tasks_scheduled'))).toBe(1);
    for (const name of [
      'incomplete_ingestions_found',
      'aggregate_ingestions_found',
      'aggregate_incomplete_ingestions_found',
      'peer_validations_found',
      'incomplete_peer_validations_found',
      'intake_tasks_skipped_due_to_marker',
      'aggregation_tasks_scheduled',
      'aggregation_tasks_skipped_due_to_marker',
      'number_of_batches_in_aggregation',
      'late_batches',
      'missed_intake_batches',
      'missing_peer_validations',
      'missing_own_validations',
      'windows_caught_up',
    ]) {
      expect(found.get(ofAggregation(name)), name).toBe(0);
    }
    expect(found.get(ofAggregation('oldest_unaggregated_batch_age_seconds'))).toBe(1800);
    const [list, put] = ['list', 'put'].map((operation) =>
      found.get(
        `workflow_manager_storage_requests{ingestor="in gestor",instance="",job="workflow-manager",locality="us/ca",operation="${operation}"}`,
      ),
    );
    // A lease taken and given back, and a marker.
    expect({ list, put }).toEqual({ list: 7, put: 3 });
    expect(found.get(named('last_success_seconds'))).toBeGreaterThan(1_700_000_000);
    expect(found.get(named('runtime_seconds'))).toBeGreaterThan(0);
    expect(found.has(named('last_failure_seconds'))).toBe(false);
  });

  it('of a failure leave the last success in place, and a success replaces them all', async () => {
    const options = { ...LABELS, 'push-gateway': `127.0.0.1:${gateway.port}` };
    await publish(options);
    const success = (await samples()).get(named('last_success_seconds'));
    breakWindow();
    expect(await publish(options)).toMatchObject({ status: 1 });
    const after = await samples();
    expect(after.get(named('last_success_seconds'))).toBe(success);
    expect(after.get(named('last_failure_seconds'))).toBeGreaterThan(0);
    const failures = [...after].filter(([name]) => name.startsWith('workflow_manager_failures'));
    expect(failures).toEqual([[expect.stringContaining('stage="aggregate"'), 1]]);
    expect(after.get(ofAggregation('missing_own_validations'))).toBe(1);

    await publish({ ...options, 'require-own-validation': 'false' });
    const replaced = await samples();
    expect(replaced.has(named('last_failure_seconds'))).toBe(false);
    expect(replaced.get(ofAggregation('aggregation_tasks_scheduled'))).toBe(1);
  });

  it('tell also of a run that could not begin', async () => {
    const ran = await publish({ ...LABELS, 'push-gateway': gateway.url, 'ingestor-input': join(root(), 'missing') });
    expect(ran.status).toBe(78);
    const found = await samples();
    expect(found.get(named('last_failure_seconds'))).toBeGreaterThan(0);
    expect([...found.keys()].some((name) => name.includes('stage="prepare"'))).toBe(true);
  });

  it('are printed and not pushed by a dry run', async () => {
    const ran = await publish({ ...LABELS, 'push-gateway': gateway.url, 'dry-run': 'true' });
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(
      new RegExp(
        `^would push \\d+ metrics to ${gateway.url} \\(grouping locality="us/ca", ingestor="in gestor"\\)$`,
        'm',
      ),
    );
    expect(await samples()).toEqual(new Map());
  });
});

describe('a gateway that is not there', () => {
  it('is an error in the log, and no failure of the run', async () => {
    const ran = await publish({ 'push-gateway': `127.0.0.1:${await freePort()}` });
    expect(ran.status).toBe(0);
    expect(errorsOf(ran)).toMatchObject([{ error_code: 'E_METRICS', message: 'metrics could not be pushed' }]);
    expect(published()).toEqual([intakeMessage('a')]);
  });
});

describe('a Kubernetes API that is not there', () => {
  it('as outside of a cluster, fails the run, which names the way out, and undoes nothing', async () => {
    const ran = await publish({ 'k8s-namespace': 'prio' });
    expect(ran.status).toBe(1);
    expect(errorsOf(ran)[0]).toMatchObject({ error_code: 'E_CONFIGURATION' });
    expect(errorsOf(ran)[0]?.['error']).toContain('--kube-config-path');
    expect(published()).toEqual([intakeMessage('a')]);
  });

  it('is not asked with --reap-jobs=false', async () => {
    expect(await publish({ 'k8s-namespace': 'prio', 'reap-jobs': 'false' })).toMatchObject({ status: 0 });
  });
});

describe.skipIf(withoutTools('reaping by runs', 'kube-apiserver', 'etcd'))('reaping', () => {
  let kube: KubeApiServer;
  let objects: KubeObjects;
  let namespaces = 0;
  let namespace: string;
  const LONG_AGO = new Date(Date.now() - 3 * HOUR_MS);
  const SELECTED = 'selected-2020';

  beforeAll(async () => {
    kube = await startKubeApiServer();
    objects = new KubeObjects(kube);
  });
  afterAll(() => kube[Symbol.asyncDispose]());

  /** Two Jobs left behind, one that only a selector takes, one that a CronJob owns, and one that is too young. */
  beforeEach(async () => {
    namespace = `ns-${++namespaces}`;
    await objects.namespace(namespace);
    const owner = { apiVersion: 'batch/v1', kind: 'CronJob', controller: true };
    for (const job of [
      { name: OLD_INTAKE_NAME },
      { name: OLD_AGGREGATE_NAME },
      { name: SELECTED, container: 'other', labels: { app: 'old' } },
      { name: 'a-owned-2020-10-31-20-00', owner },
      { name: 'a-young-2020-10-31-20-00' },
    ]) {
      await objects.job(namespace, job);
      await objects.finish(namespace, job.name, 'Complete', job.name.startsWith('a-young') ? new Date() : LONG_AGO);
    }
  });

  const names = async (): Promise<string[]> => [...(await objects.versions(namespace)).keys()].toSorted();
  const OTHERS = ['a-owned-2020-10-31-20-00', 'a-young-2020-10-31-20-00'];

  function options(token = ADMIN_TOKEN): Record<string, string> {
    const path = join(root(), 'kubeconfig');
    writeFileSync(path, kube.kubeConfig(token));
    return { 'k8s-namespace': namespace, 'kube-config-path': path };
  }

  it('deletes the right Jobs after scheduling, and no other', async () => {
    const ran = await publish(options());
    expect(ran).toMatchObject({ status: 0, stdout: '' });
    expect(await names()).toEqual([...OTHERS, SELECTED].toSorted());
    const lines = logLines(ran.stderr).map(({ message }) => message);
    expect(lines.indexOf('job deleted')).toBeGreaterThan(lines.indexOf('task published'));
    expect(logLines(ran.stderr).at(-1)).toMatchObject({ message: 'run finished', jobs_reaped: 2 });
  });

  it('deletes those of --reap-label-selector, too', async () => {
    await publish({ ...options(), 'reap-label-selector': 'app=old' });
    expect(await names()).toEqual(OTHERS);
  });

  it('changes nothing in a dry run, which prints what it would delete', async () => {
    const before = await objects.versions(namespace);
    const { status, stdout } = await publish({ ...options(), 'dry-run': 'true' });
    expect(status).toBe(0);
    for (const name of [OLD_INTAKE_NAME, OLD_AGGREGATE_NAME]) {
      expect(stdout).toContain(`would delete job ${namespace}/${name} (uid `);
    }
    expect(await objects.versions(namespace)).toEqual(before);
  });

  it('lists Jobs in the plan of --output=json', async () => {
    const { stdout } = await publish({ ...options(), output: 'json' });
    const { plan, summary } = JSON.parse(stdout) as { plan: { jobs: unknown[] }; summary: unknown };
    expect(plan.jobs).toMatchObject(
      [OLD_AGGREGATE_NAME, OLD_INTAKE_NAME].map((name) => ({ job: `${namespace}/${name}`, status: 'deleted' })),
    );
    expect(summary).toMatchObject({ jobs_reaped: 2 });
  });

  it.each([
    { verbs: ['list'], missing: 'delete' },
    { verbs: [], missing: 'list' },
  ])('that may only $verbs fails, names the verb $missing, and undoes nothing', async ({ verbs, missing }) => {
    const token = await objects.serviceAccount(namespace, 'publisher', verbs);
    const before = await objects.versions(namespace);
    const ran = await publish(options(token));
    expect(ran.status).toBe(1);
    const [error] = errorsOf(ran);
    expect(error).toMatchObject({ error_code: 'E_PERMISSION_DENIED' });
    expect(error?.['error']).toContain(`the verb "${missing}" on resource "jobs" of API group "batch"`);
    expect(ran.stderr).not.toContain(token);
    expect(published()).toEqual([intakeMessage('a')]);
    expect(await objects.versions(namespace)).toEqual(before);
  });
});
