import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { absenceSentence, type ReportOutline, reportSentence } from '../../src/pipeline/dataset/report-sentence.ts';

const DAY: ReportOutline = {
  ...{ day: '20131028', planned: 3, missing: 0, failed: 0, records: 1259, decision: 'published', seq: 4 },
  files: { processed: 61, missing: 1, partial: 0 },
};

describe('what a day came to, in one sentence', () => {
  for (const [what, changed, sentence] of [
    ['published', {}, '20131028: 61 input files read, 1 missing; 1259 submissions counted, published in commit 4'],
    [
      'read in part',
      { files: { processed: 61, missing: 1, partial: 1 } },
      '20131028: 61 input files read (1 in part), 1 missing; 1259 submissions counted, published in commit 4',
    ],
    [
      'tasks without results',
      { missing: 1, failed: 1 },
      '20131028: 61 input files read, 1 missing, 2 of 3 tasks without a result; 1259 submissions counted, published in commit 4',
    ],
    [
      'only missing files',
      { files: { processed: 0, missing: 4, partial: 0 }, records: 0 },
      '20131028: none of its 4 input files could be read; 0 submissions counted, published in commit 4',
    ],
    [
      'no input',
      { decision: 'nothing', seq: 0 },
      '20131028 has no input: no file of the input bucket passes the filter, so nothing was published',
    ],
    [
      'run again with the same outcome',
      { decision: 'unchanged' },
      '20131028: 61 input files read, 1 missing; 1259 submissions counted, and nothing new since commit 4',
    ],
    [
      'overtaken',
      { decision: 'superseded' },
      '20131028: 61 input files read, 1 missing; 1259 submissions counted, but a later run of the day is in commit 4',
    ],
  ] as const) {
    it(what, () => {
      assert.equal(reportSentence({ ...DAY, ...changed }), sentence);
    });
  }
});

describe('why the data set has nothing of a day', () => {
  for (const [what, run, sentence] of [
    [
      'not run',
      null,
      /^20131028 is not in the data set: no run has analysed it; "telemetry run-day --day 20131028" does$/,
    ],
    [
      'at work, or failed, since all its tasks were missing',
      { runId: 'r', report: null },
      /: its run r has not published; "telemetry follow 20131028" shows what it does, or why it failed$/,
    ],
    ['no input', { runId: 'r', report: { ...DAY, decision: 'nothing' } }, /^20131028 has no input: /],
    ['gone', { runId: 'r', report: DAY }, /not in the data set any more.*telemetry verify/],
  ] as const) {
    it(what, () => {
      assert.match(absenceSentence('20131028', run), sentence);
    });
  }
});
