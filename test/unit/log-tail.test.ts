/** Log lines as a mail quotes them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LogTail } from '../../src/log-tail.ts';

const LINE = {
  ...{ level: 30, time: '2013-10-30T13:31:05.123Z', part: 'worker', sdkComponent: 'activity', taskQueue: 'telemetry' },
  ...{ attempt: 1, namespace: 'default', taskToken: 'CiQw', activityId: '3', activityType: 'planTasks' },
  ...{ workflowId: 'w', workflowRunId: 'r1', workflowType: 'dailyAnalysis', day: '20131029', runId: 'ours' },
};

function shown(...entries: object[]): string[] {
  const tail = new LogTail();
  for (const entry of entries) tail.write(JSON.stringify({ ...LINE, ...entry }));
  return tail.of('w', 'r1');
}

describe('the log of a run in a mail', () => {
  for (const [what, entry, line] of [
    [
      'counts, and counts of reasons',
      { msg: 'tasks planned', files: 3, skipped: { bad_json: 2, no_tab: 1 }, none: {}, first: ['a', 'b'], other: null },
      '2013-10-30 13:31:05 tasks planned: files 3, skipped bad_json 2 no_tab 1, first a b',
    ],
    [
      'an error, without its stack',
      {
        level: 50,
        msg: 'trouble',
        attempt: 3,
        error: { type: 'E', message: 'no such queue: no such queue', stack: 'E: no\n  at x' },
      },
      '2013-10-30 13:31:05 error: trouble: attempt 3, error no such queue',
    ],
    ['a warning without fields', { level: 40, msg: 'no input' }, '2013-10-30 13:31:05 warning: no input'],
  ] as const)
    it(`shows ${what}, in words`, () => {
      assert.deepEqual(shown({ ...entry }), [line]);
    });

  it('is that of the run alone, where lines say of which they are', () => {
    const lines = shown(
      { msg: 'of the run before', workflowRunId: 'r0' },
      { msg: 'of this run' },
      { msg: 'of the workflow', workflowRunId: undefined },
    );
    assert.deepEqual(
      lines.map((line) => line.slice(20)),
      ['of this run', 'of the workflow'],
    );
  });

  it('is bounded: 200 lines, each of 4 KiB', () => {
    const lines = shown(...Array.from({ length: 300 }, (_, index) => ({ msg: `${index} ${'x'.repeat(9000)}` })));
    assert.equal(lines.length, 200);
    assert.ok(lines.every((line) => line.length <= 4096));
  });
});
