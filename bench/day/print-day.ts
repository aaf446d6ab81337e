/** The table of a day. */
import type { MeasuredDay, MeasuredStage } from './measure-day.ts';
import { WAITS } from './meter.ts';

const WAIT_NAMES = { threads: 'threads', s3: 'S3', sqs: 'SQS', activity: 'files', temporal: 'Temporal' } as const;

export function printDay(day: MeasuredDay): void {
  const { keys, result, resultBytes, seconds, events, historyBytes } = day;
  const columns = ['seconds', 'a second', 'worked', ...WAITS.map((wait) => `waited: ${WAIT_NAMES[wait]}`)];
  row(
    `day of ${keys.toLocaleString('en')} keys`,
    ...columns,
    'CPU s',
    'CPU s of S3',
    'peak MiB',
    'lag p99, ms',
    'lag max, ms',
  );
  print(`|---|${'---|'.repeat(columns.length + 5)}\n`);
  for (const stage of day.stages) {
    if (stage.stage === 'analysis workers') continue;
    const { worked, waited, cpuSeconds, storeCpuSeconds, peakMiB, lagP99Ms, lagMaxMs } = stage;
    const waits = WAITS.map((wait) => figure(waited[wait]));
    const rate = rateOf(stage, day);
    row(
      ...[
        stage.stage,
        figure(stage.seconds),
        rate,
        figure(worked),
        ...waits,
        figure(cpuSeconds),
        figure(storeCpuSeconds),
      ],
      ...[peakMiB.toFixed(0), lagP99Ms.toFixed(0), lagMaxMs.toFixed(0)],
    );
  }
  print(
    `\n${result.planned} tasks, ${(resultBytes / 1e6).toFixed(0)} MB of results, ${result.rendered} snapshots; ${seconds.toFixed(1)} s in all without the analysis workers; history: ${events} events, ${(historyBytes / 1e6).toFixed(2)} MB\n\n`,
  );
  row('requests', 'S3', 'MB');
  print('|---|---|---|\n');
  for (const { stage, requests } of day.stages)
    for (const [what, count] of Object.entries(requests))
      row(stage, `${count.requests} ${what}`, (count.bytes / 1e6).toFixed(2));
}

/** What a stage is measured by: keys, tasks, messages or files. */
function rateOf({ stage, seconds, requests }: MeasuredStage, { keys, result }: MeasuredDay): string {
  const puts = requests['PUT telemetry-dashboard']?.requests ?? 0;
  const things: Readonly<Record<string, readonly [number, string]>> = {
    'list and pack': [keys, 'keys'],
    enqueue: [result.planned, 'tasks'],
    'drain and merge': [result.planned, 'messages'],
    build: [keys, 'keys'],
    stage: [puts, 'files'],
    projections: [keys, 'keys'],
  };
  const [count, name] = things[stage] ?? [];
  return count === undefined ? '' : `${Math.round(count / seconds).toLocaleString('en')} ${name ?? ''}`;
}

function figure(value: number): string {
  return value.toFixed(2);
}

function row(...cells: readonly string[]): void {
  print(`| ${cells.join(' | ')} |\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}
