import { describe, expect, it } from 'vitest';
import { withoutTools } from '../services/service.ts';
import { REPOSITORY } from '../support/repository.ts';
import { temporaryDirectory } from '../support/temp-directory.ts';
import { KUBERNETES_CASES } from './monitoring-cases/kubernetes.ts';
import { PUBLISHER_CASES } from './monitoring-cases/publisher.ts';
import { QUEUES_CASES } from './monitoring-cases/queues.ts';
import { WORKERS_CASES } from './monitoring-cases/workers.ts';
import { promtool, ruleTestOf, testAlert } from './monitoring-promtool.ts';
import { allAlerts, prometheusRule, prometheusRulePath, RULE_FILES } from './monitoring-rules.ts';

const alerts = allAlerts();
const ALERT_CASES = [...PUBLISHER_CASES, ...WORKERS_CASES, ...KUBERNETES_CASES, ...QUEUES_CASES];

/** Has no labels, so that there are no cases side by side. */
const ABSENT = 'WorkflowManagerMetricsAbsent';

describe('the alerts', () => {
  it('have names of their own', () => {
    const names = alerts.map(({ alert }) => alert);
    expect(names).toEqual([...new Set(names)]);
  });

  it.each(alerts)('$alert says how bad it is, what it is, with values, and what to do', (rule) => {
    expect(rule.alert).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(Object.keys(rule.labels)).toEqual(['severity']);
    expect(['page', 'ticket']).toContain(rule.labels['severity']);
    expect(Object.keys(rule.annotations).sort()).toEqual(['description', 'runbook_url', 'summary']);
    expect(rule.annotations['summary']).toMatch(/^[A-Z][^{]*[^.]$/);
    expect(rule.annotations['description']).toMatch(rule.alert === ABSENT ? /\.$/ : /\{\{ \$value\b.*\.$/s);
  });

  // With scrapes every half minute; an evaluation that finds nothing begins `for` anew.
  it.each(alerts)(
    '$alert waits, and looks over spans, so that one missed scrape neither sets it off nor back',
    (rule) => {
      expect(Number.parseInt(rule.for, 10)).toBeGreaterThanOrEqual(rule.for.endsWith('h') ? 1 : 5);
      // Recorded series do not depend on a scrape.
      const outsideOfSpans = rule.expr
        .replaceAll(/[a-z_:]+(?:\{[^}]*\})?\[[^\]]+\]/g, '')
        .match(/\b(?:workflow_manager|facilitator|kube|kubelet|aws_sqs|pubsub_googleapis_com)_\w+/g);
      expect((outsideOfSpans ?? []).filter((name) => !rule.expr.includes(`:${name}:`))).toEqual([]);
    },
  );

  it('all have cases, of each sort', () => {
    const tested = ALERT_CASES.map(({ alert }) => alert);
    expect([...tested, ABSENT].sort()).toEqual(alerts.map(({ alert }) => alert).sort());
    for (const { alert, cases } of ALERT_CASES) {
      for (const sort of ['firing', 'quiet', 'holes', 'zero']) {
        expect(
          Object.keys(cases).filter((name) => name.startsWith(sort)),
          `${alert}: ${sort}`,
        ).not.toEqual([]);
      }
    }
  });
});

describe.each(RULE_FILES)('%s', (path) => {
  it('is also there for the Prometheus operator', async () => {
    await expect(prometheusRule(path)).toMatchFileSnapshot(REPOSITORY + prometheusRulePath(path));
  });
});

describe.skipIf(withoutTools('alert rules', 'promtool'))('promtool', () => {
  const directory = temporaryDirectory();
  const ruleOf = (name: string): (typeof alerts)[number] => alerts.find(({ alert }) => alert === name)!; // tested above

  it.each(RULE_FILES)('finds nothing wrong with %s', (path) => {
    const { isGood, output } = promtool('check', 'rules', '--lint=all', '--lint-fatal', path);
    expect(isGood, output).toBe(true);
  });

  it.each(ALERT_CASES)('sees $alert fire when it has to, and no other time', (alertCase) => {
    const rule = ruleOf(alertCase.alert);
    const { isGood, output } = testAlert(directory(), rule, ruleTestOf(alertCase, rule));
    expect(isGood, output).toBe(true);
  });

  it.each([
    ['fires where nothing ever came', '_x200', true],
    ['fires where nothing comes any more', '1000x60 _x140', true],
    ['is quiet', '1000x200', false],
    ['is quiet with holes of less than an hour', '1000x100 _x50 1000x10 _x40', false],
    ['is quiet with times of zero, which are a matter of other alerts', '0x200', false],
  ])(`sees ${ABSENT}, which %s`, (_name, values, fires) => {
    const rule = ruleOf(ABSENT);
    const exp_alerts = fires ? [{ exp_labels: rule.labels, exp_annotations: rule.annotations }] : [];
    const series = 'workflow_manager_last_success_seconds{job="workflow-manager",locality="l",ingestor="i"}';
    const test = {
      interval: '1m',
      input_series: [{ series, values }],
      alert_rule_test: [{ eval_time: '200m', alertname: ABSENT, exp_alerts }],
    };
    const { isGood, output } = testAlert(directory(), rule, test);
    expect(isGood, output).toBe(true);
  });

  it('would tell if an alert did not fire', () => {
    const rule = ruleOf('MissingPeerValidations');
    const alertCase = ALERT_CASES.find(({ alert }) => alert === rule.alert)!; // one of them
    const { isGood } = testAlert(directory(), rule, ruleTestOf({ ...alertCase, fires: {} }, rule));
    expect(isGood).toBe(false);
  });
});
