import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../support/repository.ts';
import { tool } from '../services/service.ts';
import type { AlertCase } from './monitoring-cases/alert-case.ts';
import { readRules, type Alert } from './monitoring-rules.ts';

/** What promtool printed, and whether it was content. */
export interface PromtoolResult {
  readonly isGood: boolean;
  readonly output: string;
}

export function promtool(...args: readonly string[]): PromtoolResult {
  const { status, stdout, stderr } = spawnSync(tool('promtool'), args, { cwd: REPOSITORY, encoding: 'utf8' });
  return { isGood: status === 0, output: stdout + stderr };
}

type RuleTest = Readonly<Record<string, unknown>>;

/**
 * Runs a test, as promtool has them, of one alert with the recorded series that it looks at; all others would only take
 * their time.
 */
export function testAlert(directory: string, rule: Alert & { readonly file: string }, test: RuleTest): PromtoolResult {
  const rules = readRules(rule.file)
    .groups.flatMap((group) => group.rules)
    .filter((each) => ('alert' in each ? each.alert === rule.alert : rule.expr.includes(each.record)));
  const [rulesPath, testsPath] = ['rules.json', 'tests.json'].map((name) => join(directory, name)) as [string, string];
  // JSON is YAML.
  writeFileSync(rulesPath, JSON.stringify({ groups: [{ name: 'tested', rules }] }));
  const tests = { rule_files: [rulesPath], evaluation_interval: test['interval'], tests: [test] };
  writeFileSync(testsPath, JSON.stringify(tests));
  return promtool('test', 'rules', testsPath);
}

/** A word for labels, and for names of series. */
const wordOf = (name: string): string => name.replace(/[^a-z0-9]+/gi, '-');

/** One test of promtool with the series of all cases, of which exactly those that are to fire do. */
export function ruleTestOf({ interval = '1m', at, cases, fires, labels }: AlertCase, rule: Alert): RuleTest {
  const input_series = Object.entries(cases).flatMap(([name, series]) =>
    Object.entries(series).map(([selector, values]) => ({
      series: selector.replaceAll('CASE', wordOf(name)),
      values,
    })),
  );
  const exp_alerts = Object.entries(fires).map(([name, description]) => {
    const filled = (text: string): string => text.replaceAll('CASE', wordOf(name));
    return {
      exp_labels: {
        ...rule.labels,
        ...Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, filled(value)])),
      },
      exp_annotations: { ...rule.annotations, description: filled(description) },
    };
  });
  return { interval, input_series, alert_rule_test: [{ eval_time: at, alertname: rule.alert, exp_alerts }] };
}
