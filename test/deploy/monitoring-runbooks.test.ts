import { describe, expect, it } from 'vitest';
import { anchorsOf, headingsOf } from '../support/markdown.ts';
import { readText } from '../support/repository.ts';
import { allAlerts } from './monitoring-rules.ts';

const DOCUMENT = 'docs/operations.md';
const document = readText(DOCUMENT);
const alerts = allAlerts();

/** Titles of the sections under `## Alerts`, which is the last of its level. */
function runbooks(): string[] {
  const [, below = ''] = document.split(/^## Alerts$/m);
  expect(headingsOf(below)).toEqual([...below.matchAll(/^### (.+)$/gm)].map(([, title]) => title));
  return headingsOf(below);
}

describe(DOCUMENT, () => {
  it('has a section for each alert, and an alert for each section', () => {
    expect(runbooks().sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });

  it.each(alerts)('is where the link of $alert leads', ({ alert, annotations }) => {
    const [path, anchor = ''] = (annotations['runbook_url'] ?? '').split('#');
    expect(path).toBe(DOCUMENT);
    expect(anchorsOf(document)).toContain(anchor);
    // A section of its own, not another's.
    expect(anchorsOf(`# ${alert}`)).toEqual([anchor]);
  });

  it.each(alerts)('says something about $alert', ({ alert }) => {
    const [, section = ''] = document.split(new RegExp(`^### ${alert}$`, 'm'));
    expect(section.split(/^#/m)[0]?.trim().length).toBeGreaterThan(20);
  });

  it('names codes of errors that exist', () => {
    const codes = new Set(readText('docs/errors.md').match(/\bE_[A-Z_]+\b/g));
    expect((document.match(/\bE_[A-Z_]+\b/g) ?? []).filter((code) => !codes.has(code))).toEqual([]);
  });

  it('names metrics that exist', () => {
    const metrics = readText('docs/metrics.md');
    const named = document.match(/\b(?:facilitator|workflow_manager)_[a-z_]+\b/g) ?? [];
    // The reference's alerts, in the table of them.
    const theirs = /^(?:workflow_manager_heartbeat|facilitator_(?:intake|aggregate)_failure_rate)$/;
    expect(named.filter((name) => !theirs.test(name) && !metrics.includes(`\`${name}\``))).toEqual([]);
  });
});
