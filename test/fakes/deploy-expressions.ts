/** The PromQL of deploy/, and what it names, by Prometheus's own grammar. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action: string };
}

function text(path: string): string {
  return readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');
}

export function alertRules(): AlertRule[] {
  const { groups } = parse(text('prometheus/alert-rules.yml')) as { groups: { rules: AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export function dashboardExpressions(): string[] {
  const { panels } = JSON.parse(text('grafana/telemetry-dashboard.json')) as {
    panels: { targets: { expr: string }[] }[];
  };
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

/** Metric names of an expression; fails when it is no PromQL. */
export function namesIn(expression: string): string[] {
  return nodes(expression, (name, parent) => name === 'Identifier' && parent === 'VectorSelector');
}

/** Labels that an expression filters or groups by. */
export function labelsOf(expression: string): string[] {
  return nodes(expression, (name, parent) => name === 'LabelName' && parent !== 'VectorSelector');
}

function nodes(expression: string, wanted: (name: string, parent: string | undefined) => boolean): string[] {
  const found = new Set<string>();
  parser.parse(expression).iterate({
    enter: (node) => {
      assert.ok(!node.type.isError, `not PromQL at ${node.from}: ${expression}`);
      if (wanted(node.name, node.node.parent?.name)) found.add(expression.slice(node.from, node.to));
    },
  });
  return [...found];
}
