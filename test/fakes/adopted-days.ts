/** Days published on top of an adopted space: rows of one measure, made up where a test needs them. */
import assert from 'node:assert/strict';
import { resultLines } from '../../src/pipeline/aggregates/result-lines.ts';
import type { Application } from './application.ts';
import { DayRun, inputKey } from './day-run.ts';
import { REVISION } from './original-space.ts';
import { snapshotOf } from './published-space.ts';

export const NIGHTLY = 'nightly/28';

/** What an analysis task says of one file: a measure's row. */
export function rowResult(values: readonly number[], date: string, buildId: string, path = 'WINNT/6.1/x86'): string {
  const slot = {
    measure: 'BOOL',
    byDate: 'by-build-date' as const,
    path: `saved_session/Firefox/${path}`,
    date,
    values,
    buildId,
    revision: REVISION,
  };
  return `${[...resultLines([{ channelVersion: NIGHTLY, slot }])].join('\n')}\n`;
}

export async function publishDay(app: Application, result: string, files = ['f1'], number = 1): Promise<DayRun> {
  const day = new DayRun(app, number);
  await day.analyse(
    files.map((file) => inputKey(NIGHTLY, file)),
    () => ({ result }),
  );
  assert.equal((await day.publish()).outcome, 'committed');
  return day;
}

export function rowsOf(app: Application): Record<string, number[][]> {
  return JSON.parse(snapshotOf(app, NIGHTLY).get('BOOL-by-build-date.json')!) as Record<string, number[][]>;
}
