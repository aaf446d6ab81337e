/** Metrics as sums, by name and labels. */
import { COUNTERS, type CounterName, GAUGES, type GaugeName, type Metrics } from '../../src/metrics.ts';

export class MemoryMetrics implements Metrics {
  /** `name` or `name{label="value"}` → value. */
  readonly values = new Map<string, number>();

  add(name: CounterName, value: number, labels: Readonly<Record<string, string>> = {}): void {
    const series = seriesOf(name, labels, COUNTERS[name].labels);
    this.values.set(series, (this.values.get(series) ?? 0) + value);
  }

  set(name: GaugeName, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.values.set(seriesOf(name, labels, GAUGES[name].labels), value);
  }
}

function seriesOf(name: string, labels: Readonly<Record<string, string>>, expected: readonly string[]): string {
  if (Object.keys(labels).sort().join() !== [...expected].sort().join()) {
    throw new Error(`${name} needs the labels ${expected.join(', ')}`);
  }
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}
