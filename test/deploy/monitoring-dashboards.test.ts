import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withoutTools } from '../services/service.ts';
import { readText, repositoryPaths } from '../support/repository.ts';
import { temporaryDirectory } from '../support/temp-directory.ts';
import { promtool } from './monitoring-promtool.ts';
import { allExpressions, allAlerts } from './monitoring-rules.ts';
import { faultsOf, knownSeries } from './monitoring-series.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly {
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource: { readonly uid: string };
  }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const directory = temporaryDirectory();
const known = knownSeries();
const dashboards = repositoryPaths()
  .filter((path) => /^deploy\/monitoring\/dashboards\/.*\.json$/.test(path))
  // A file of ours; what matters of its form is tested.
  .map((path) => ({ path, dashboard: JSON.parse(readText(path)) as Dashboard }));
const panels = dashboards.flatMap(({ path, dashboard }) =>
  dashboard.panels.filter(({ type }) => type !== 'row').map((panel) => ({ path, ...panel })),
);
const queries = panels.flatMap(({ path, title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ path, title, expr, legendFormat })),
);

describe('the dashboards', () => {
  it('are two, with ids of their own', () => {
    expect(dashboards.map(({ dashboard }) => dashboard.uid).sort()).toEqual(['dsp-flow', 'dsp-workers']);
  });

  it.each(dashboards)('$path takes data source, locality, ingestor and aggregation', ({ dashboard }) => {
    const { list } = dashboard.templating;
    expect(list.map(({ name }) => name)).toEqual(['datasource', 'locality', 'ingestor', 'aggregation']);
    for (const { name, definition } of list.slice(1)) {
      const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition ?? '') ?? [];
      expect(faultsOf(`max by (${label}) (${selector})`, known), name).toEqual([]);
    }
  });

  it.each(dashboards)('$path has panels that do not cover each other, with ids of their own', ({ dashboard }) => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(cells).toHaveLength(new Set(cells).size);
    expect(dashboard.panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });

  it.each(panels)('$path: $title says what it shows, in which unit, and asks the chosen data source', (panel) => {
    expect(panel.description).toMatch(/^\S.*\.$/);
    expect(panel.fieldConfig?.defaults.unit).toMatch(/^\w+$/);
    const sources = [panel.datasource, ...(panel.targets ?? []).map(({ datasource }) => datasource)];
    expect(new Set(sources.map((source) => source?.uid))).toEqual(new Set(['${datasource}']));
    expect(panel.targets).not.toEqual([]);
  });

  it.each(panels)('$path: $title names alerts that exist', ({ description = '' }) => {
    const names = /Alerts?: ([\w, ]+)\.$/.exec(description)?.[1]?.split(', ') ?? [];
    const alerts = new Set(allAlerts().map(({ alert }) => alert));
    expect(names.filter((name) => !alerts.has(name))).toEqual([]);
  });

  it.each(queries)('$path: $title asks for what there is: $expr', ({ expr, legendFormat }) => {
    expect(faultsOf(expr, known)).toEqual([]);
    const byLabels = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) => list?.split(', ') ?? []);
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
    expect(shown.filter((label) => label === undefined || !byLabels.includes(label))).toEqual([]);
  });

  it.skipIf(withoutTools('queries of dashboards', 'promtool')).each(dashboards)(
    '$path has queries that Prometheus can read',
    ({ path }) => {
      const file = join(directory(), 'rules.json');
      const rules = queries
        .filter((query) => query.path === path)
        .map(({ expr }, i) => ({
          record: `query:${i}`,
          expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, 'x'),
        }));
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules }] }));
      const { isGood, output } = promtool('check', 'rules', '--lint=none', file);
      expect(isGood, output).toBe(true);
    },
  );
});

describe('the rules', () => {
  it.each(allExpressions())('$name asks for what there is', ({ expr }) => {
    // Spans of gauges and counters alike have their functions.
    expect(faultsOf(expr, known)).toEqual([]);
  });
});

describe('the lint', () => {
  it.each([
    ['max(facilitator_tasks_in_hand{task="intake"})', []],
    ['max(facilitator_tasks_in_hnad)', ['there is no metric facilitator_tasks_in_hnad', 'no metric is asked for']],
    ['max(facilitator_tasks_in_hand{tusk="x"})', ['facilitator_tasks_in_hand has no label tusk']],
    ['max by (batch) (facilitator_tasks_in_hand)', ['no metric of the expression has a label batch']],
    [
      'rate(facilitator_tasks_in_hand[5m])',
      ['facilitator_tasks_in_hand is no counter, of which a rate could be taken'],
    ],
    ['sum(facilitator_leases_lost_total)', ['facilitator_leases_lost_total is a counter: take its rate']],
    [
      'rate(facilitator_task_duration_seconds[5m])',
      ['there is no metric facilitator_task_duration_seconds', 'no metric is asked for'],
    ],
    ['max by (le) (rate(facilitator_task_duration_seconds_bucket[5m]))', []],
    ['time() - 5', ['no metric is asked for']],
  ])('finds in %s what is wrong', (expr, faults) => {
    expect(faultsOf(expr, known)).toEqual(faults);
  });
});
