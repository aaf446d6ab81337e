/** The table of jobs is the one place that knows them: workflows, schedules and advice follow it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { againOf, type Job, jobNamed, JOBS, WORKFLOW_TYPES } from '../../src/jobs.ts';
import { schedules } from '../../src/schedules.ts';

describe('the table of jobs', () => {
  const jobs: [type: string, job: Job][] = Object.entries(JOBS);

  it('has every workflow that the worker registers, and no other', async () => {
    const { readFileSync } = await import('node:fs');
    const index = readFileSync(new URL('../../src/workflows/index.ts', import.meta.url), 'utf8');
    const registered = [...index.matchAll(/export \{ (\w+) \}/g)].map(([, name]) => name);
    assert.deepEqual(registered.toSorted(), WORKFLOW_TYPES.toSorted());
  });

  it('gives each scheduled job its schedule, by the job’s name', () => {
    const made = schedules('telemetry').map(({ scheduleId, spec, action }) => [
      scheduleId,
      spec.cronExpressions?.[0],
      action.workflowType,
    ]);
    const wanted = jobs.flatMap(([type, { name, schedule }]) =>
      schedule === null ? [] : [[name, schedule.cron, type]],
    );
    assert.deepEqual(made, wanted);
    assert.equal(made.length, 3);
  });

  for (const [type, { name, workflowId, schedule, byHand, again }] of jobs) {
    it(`${type} has an id that begins with its name, a command and advice`, () => {
      assert.ok(workflowId('20131029').startsWith(name));
      assert.match(byHand('20131029'), /^telemetry /);
      assert.match(again('20131029'), /^[a-z].*[^.]$/);
      assert.equal(jobNamed(name)?.name, name);
      assert.match(schedule?.cron ?? '0 0 * * *', /^\d+ \d+ \* \* \*$/);
    });
  }

  it('has general advice for a job of another release', () => {
    assert.equal(againOf('something-new', 'x'), 'start something-new x again');
  });
});
