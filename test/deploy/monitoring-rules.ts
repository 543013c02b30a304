import { load } from 'js-yaml';
import { readText } from '../support/repository.ts';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface RuleFile {
  readonly groups: readonly {
    readonly name: string;
    readonly rules: readonly (Alert | { readonly record: string; readonly expr: string })[];
  }[];
}

const FOLDER = 'deploy/monitoring/';

/** By the name of the file, from the root of the repository. */
export const RULE_FILES = ['rules', 'rules-google', 'rules-aws'].map((name) => `${FOLDER}${name}.yaml`);

/** The PrometheusRule with the same content. */
export function prometheusRulePath(ruleFile: string): string {
  return ruleFile.replace(FOLDER, `${FOLDER}prometheus-operator/`);
}

/** A PrometheusRule is the rules file, moved to the right, below a head. */
export function prometheusRule(ruleFile: string): string {
  const name = ruleFile.slice(FOLDER.length, -'.yaml'.length).replace(/^rules/, 'data-share-processor');
  const body = readText(ruleFile)
    .split('\n')
    .map((line) => (line === '' || line.startsWith('#') ? line : `  ${line}`))
    .join('\n');
  return `# Made from ../${ruleFile.slice(FOLDER.length)} by: npx vitest run test/deploy/monitoring.test.ts -u
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ${name}
  labels:
    app.kubernetes.io/part-of: data-share-processor
spec:
${body.replace(/^(?:#.*\n)+/, '')}`;
}

export function readRules(path: string): RuleFile {
  // What is in it, promtool checks.
  return load(readText(path)) as RuleFile;
}

/** All alerts, with the file that each is in. */
export function allAlerts(): (Alert & { readonly file: string })[] {
  return RULE_FILES.flatMap((file) =>
    readRules(file)
      .groups.flatMap(({ rules }) => rules)
      .flatMap((rule) => ('alert' in rule ? [{ ...rule, file }] : [])),
  );
}

/** The expressions of all rules, by what they are called. */
export function allExpressions(): { readonly name: string; readonly expr: string }[] {
  return RULE_FILES.flatMap((file) =>
    readRules(file)
      .groups.flatMap(({ rules }) => rules)
      .map((rule) => ({ name: 'alert' in rule ? rule.alert : rule.record, expr: rule.expr })),
  );
}
