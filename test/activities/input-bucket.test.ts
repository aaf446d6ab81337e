import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createActivities } from '../../src/activities/index.ts';
import type { PlanSummary, PlanTasksInput } from '../../src/activities/plan.ts';
import { FailureType } from '../../src/failures.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { atScale } from '../fakes/at-scale.ts';
import { DAY_TEMPLATE, eachWithApplication, environment } from '../fakes/application.ts';
import { DONE_QUEUE, TASK_QUEUE } from '../fakes/names.ts';
import { DAY, DayRun, inputKey } from '../fakes/day-run.ts';
import { endsCancelled, failsForGood, failsForNow } from '../fakes/failures.ts';

const FILES = ['a', 'b', 'c'].map((file) => inputKey('nightly/28', file));

describe('planTasks', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  it('stores a plan with every admitted file once, and says what was left out and why', async () => {
    const day = new DayRun(application());
    day.storeInput([...FILES, inputKey('aurora/27', 'd'), inputKey('nightly/28', 'other-day', '20131028')]);
    day.app.input.store('README', 'x');
    day.app.input.store(inputKey('nightly/28', 'empty'), '');
    day.app.input.store(inputKey('nightly/28', 'old').replace('.v2.', '.v1.'), 'x');
    const plan = await day.planTasks();
    assert.deepEqual(plan, {
      files: 4,
      tasks: 4,
      bytes: 40,
      skipped: { empty_object: 1, other_version: 1 },
      missingKeys: 0,
      chunkTasks: 2,
    });
    const lines = day.app.analysis.text(stateKeys.plan(day.run)).trim().split('\n').slice(1);
    const files = lines.flatMap((line) => (JSON.parse(line) as { files: string[] }).files);
    assert.deepEqual(files.toSorted(), [...FILES, inputKey('aurora/27', 'd')].toSorted());
    assert.equal(day.app.analysis.json(stateKeys.runIndex(day.run.runId))['prefix'], day.run.prefix);
  });

  for (const [what, maxPlan, message] of [
    ['tasks', { tasks: 2, bytes: 1000 }, /more than 2 tasks \(TELEMETRY_MAX_PLAN_TASKS\); nothing was sent/],
    ['bytes', { tasks: 10, bytes: 29 }, /more than 29 bytes of input/],
  ] as const) {
    it(`T23: a plan of too many ${what} is refused before anything is stored or sent, unless it is meant`, async () => {
      const app = application();
      const day = new DayRun(app);
      day.storeInput(FILES);
      const activities = createActivities(app.ports({ maxPlan }));
      const filter = await app.run('renderFilter', { day: DAY, now: '2014-01-01T00:00:00Z', allowFuture: false });
      const plan = (more: Partial<PlanTasksInput> = {}): Promise<PlanSummary> => {
        const input = { run: day.run, day: DAY, filter, jobName: 'dashboard', ...day.queues, ...more };
        return environment().run(() => activities.planTasks(input));
      };
      await failsForGood(plan(), FailureType.PlanTooLarge, message);
      assert.ok(!app.analysis.contents.has(stateKeys.plan(day.run)));
      assert.equal((await plan({ allowLargePlan: true })).tasks, 3);
    });
  }

  it('stores a plan that can be read whatever characters the filter has', async () => {
    const app = application();
    app.template = DAY_TEMPLATE.replace('"saved_session"', '"saved_session","\u2028odd\u2029"');
    const day = new DayRun(app);
    day.storeInput(FILES);
    assert.equal((await day.planTasks()).tasks, 3);
    assert.deepEqual(await day.enqueue(), { tasks: 3, resumedAt: 0 });
  });

  it('plans no task when nothing matches', async () => {
    const plan = await new DayRun(application()).planTasks();
    assert.equal(plan.tasks, 0);
    assert.equal(plan.files, 0);
  });

  it('uses the stored plan on a retry, although more files came meanwhile', async () => {
    const day = new DayRun(application());
    day.storeInput(FILES);
    const first = await day.planTasks();
    const { etag } = await day.app.analysis.get(stateKeys.plan(day.run));
    day.storeInput([inputKey('nightly/28', 'late')]);
    assert.deepEqual(await day.planTasks(), first);
    assert.equal((await day.app.analysis.get(stateKeys.plan(day.run))).etag, etag);
  });

  it('a crash between plan and run index is no loss: the retry ends it', async () => {
    const day = new DayRun(application());
    day.storeInput(FILES);
    day.app.trace.fail({ method: 'createOnce', key: /run-index/ });
    await failsForNow(day.planTasks(), /injected/);
    await day.planTasks();
    assert.ok(day.app.analysis.contents.has(stateKeys.runIndex(day.run.runId)));
  });

  it('adopts the plan of another attempt that stored it first', async () => {
    const app = application();
    const [day, same] = [new DayRun(app), new DayRun(app)];
    day.storeInput(FILES.slice(0, 1));
    app.trace.before('createOnce', /plan\.ndjson/, async () => {
      day.storeInput(FILES);
      await same.planTasks();
    });
    assert.equal((await day.planTasks()).tasks, 3);
  });

  it('a listing that fails on page 3 leaves no plan and sends nothing', async () => {
    const day = new DayRun(application());
    day.app.input.pageSize = 1;
    day.storeInput(FILES);
    day.app.trace.fail({ method: 'list', key: /20131029\.$/, nth: 3 });
    await failsForNow(day.planTasks(), /injected/);
    assert.deepEqual(day.app.analysis.keys('state/'), day.app.analysis.keys('state/ledgers/'));
    assert.equal(day.app.trace.effective('send').length, 0);
    assert.equal((await day.planTasks()).tasks, 3);
  });

  for (const queue of [TASK_QUEUE, DONE_QUEUE]) {
    it(`a missing queue ${queue} is an error before anything is listed`, async () => {
      const day = new DayRun(application());
      day.app.queues.queues.delete(queue);
      await failsForGood(day.planTasks(), FailureType.QueueMissing, new RegExp(queue));
      assert.equal(day.app.trace.effective('list').length, 0);
    });
  }

  it('a key that does not fit a message is an error that names it', async () => {
    const day = new DayRun(application());
    day.storeInput([inputKey('nightly/28', 'k'.repeat(400))]);
    day.app.queues.maxBytes = 500;
    await failsForGood(day.planTasks(), FailureType.TaskTooLarge, /kkk/);
  });

  for (const [name, type] of [
    ['NoSuchBucket', FailureType.BucketMissing],
    ['AccessDenied', FailureType.AccessDenied],
  ] as const) {
    it(`does not repeat what ${name} answers`, async () => {
      const day = new DayRun(application());
      day.app.trace.fail({ method: 'list', error: Object.assign(new Error('s3 says no'), { name }) });
      await failsForGood(day.planTasks(), type, /s3 says no/);
    });
  }

  it('of a key list, missing keys are reported and the others planned; blank and repeated lines are ignored', async () => {
    const day = new DayRun(application());
    day.storeInput(FILES);
    day.app.analysis.store('lists/keys', `${FILES[0]!}\n\n  ${FILES[1]!}\r\n${FILES[0]!}\nnot/there\n`);
    const { queues, run } = day;
    const plan = await day.app.run('planTasks', { run, day: null, keyList: 'lists/keys', jobName: 'j', ...queues });
    assert.equal(plan.files, 2);
    assert.equal(plan.missingKeys, 1);
  });

  it('of a key list, keys that no list of files can hold are counted and the others planned', async () => {
    const day = new DayRun(application());
    day.storeInput(FILES);
    const odd = ['a\tnot_found', 'b\u001b[31m', 'c\u2028d', 'k'.repeat(1025)];
    day.app.analysis.store('lists/keys', [...odd, FILES[0]!].join('\n'));
    const { queues, run } = day;
    const plan = await day.app.run('planTasks', { run, day: null, keyList: 'lists/keys', jobName: 'j', ...queues });
    assert.deepEqual([plan.files, plan.missingKeys, plan.skipped], [1, 0, { malformed_key: odd.length }]);
  });

  it('stops listing when it is cancelled', async () => {
    const day = new DayRun(application());
    day.app.input.pageSize = 1;
    day.storeInput(FILES);
    const filter = await day.app.run('renderFilter', { day: DAY, now: '2014-01-01T00:00:00Z', allowFuture: false });
    const env = environment();
    day.app.trace.before('list', /20131029\.$/, () => {
      env.cancel();
    });
    const { queues, run } = day;
    await endsCancelled(day.app.runIn(env, 'planTasks', { run, day: DAY, filter, jobName: 'j', ...queues }));
    assert.equal(day.app.trace.effective('list', /20131029\.$/).length, 1);
    assert.ok(!day.app.analysis.contents.has(stateKeys.plan(run)));
  });

  it('the same listing gives the same plan from other pages', async () => {
    const app = application();
    const [one, two] = [new DayRun(app, 1), new DayRun(app, 2)];
    one.storeInput(FILES.toReversed());
    await one.planTasks();
    app.input.pageSize = 2;
    await two.planTasks();
    const plans = [one, two].map(({ run }) => app.analysis.text(stateKeys.plan(run)).replaceAll(run.runId, 'RUN'));
    assert.equal(plans[0], plans[1]);
  });
});

describe('the channel/versions of a plan', () => {
  const application = eachWithApplication({ pack: { maxFiles: 200, maxBytes: 1e6 } });

  const versions = atScale ? 2100 : 1010;
  it(`a day of ${versions} channel/versions is refused, naming some and what to do; the filter says which count`, async () => {
    const app = application();
    const day = new DayRun(app);
    day.storeInput([...FILES, ...Array.from({ length: versions }, (_, index) => inputKey(`evil/${index}`, 'x'))]);
    await failsForGood(
      day.planTasks(),
      FailureType.TooManyChannelVersions,
      new RegExp(`has ${versions + 1} channel/versions, more than 1000; .*nightly/28.*evil/\\d.*"min_major"`),
    );
    assert.ok(!app.analysis.contents.has(stateKeys.plan(day.run)));
    app.template = DAY_TEMPLATE.replace(
      '{"field_name":"appVersion","allowed_values":"*"}',
      '{"field_name":"appVersion","allowed_values":{"min_major":20,"max_major":60}}',
    );
    assert.equal((await new DayRun(app, 2).planTasks()).files, FILES.length + 41);
  });

  it('an investigation, which publishes nothing, may have any number of channel/versions', async () => {
    const app = application();
    const day = new DayRun(app);
    day.storeInput(Array.from({ length: 1001 }, (_, index) => inputKey(`evil/${index}`, 'x')));
    const filter = await app.run('renderFilter', { day: DAY, now: '2014-01-01T00:00:00Z', allowFuture: false });
    const { queues, run } = day;
    const plan = await app.run('planTasks', { run, day: DAY, filter, jobName: 'investigation', ...queues });
    assert.equal(plan.files, 1001);
  });
});
