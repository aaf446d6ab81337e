/** What deploy/ shows and alarms about exists: every metric and label that its rules and dashboards name. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { COUNTERS, GAUGES } from '../../src/metrics.ts';
import { alertRules, dashboardExpressions, labelsOf, namesIn } from '../fakes/deploy-expressions.ts';

const KNOWN = new Map<string, readonly string[]>([
  ...Object.entries(COUNTERS).map(([name, { labels }]): [string, readonly string[]] => [`${name}_total`, labels]),
  ...Object.entries(GAUGES).map(([name, { labels }]): [string, readonly string[]] => [name, labels]),
]);

describe('deploy/', () => {
  const rules = alertRules();
  const expressions = [...rules.map(({ expr }) => expr), ...dashboardExpressions()];

  for (const expression of expressions) {
    it(`${expression} is PromQL over metrics and labels that exist`, () => {
      const names = namesIn(expression);
      assert.ok(names.length > 0);
      const own = names.filter((name) => !name.startsWith('temporal_'));
      assert.deepEqual(
        own.filter((name) => !KNOWN.has(name)),
        [],
      );
      const labels = new Set(own.flatMap((name) => KNOWN.get(name) ?? []));
      if (own.length > 0)
        assert.deepEqual(
          labelsOf(expression).filter((label) => !labels.has(label)),
          [],
        );
    });
  }

  it('every metric is on the dashboard or in a rule', () => {
    const shown = new Set(expressions.flatMap(namesIn));
    assert.deepEqual(
      [...KNOWN.keys()].filter((name) => !shown.has(name)),
      [],
    );
  });

  it('every rule says what happened and what to do', () => {
    assert.ok(rules.length >= 10);
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
    for (const { alert, annotations, labels } of rules) {
      assert.match(labels.severity, /^(?:critical|warning)$/, alert);
      assert.ok(annotations.summary.length > 15 && annotations.action.length > 30, alert);
    }
  });

  it('no panel of the dashboard lies over another', () => {
    const text = readFileSync(new URL('../../deploy/grafana/telemetry-dashboard.json', import.meta.url), 'utf8');
    const { panels } = JSON.parse(text) as { panels: { title: string; gridPos: { x: number; y: number } }[] };
    assert.equal(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size, panels.length);
    assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
  });
});
