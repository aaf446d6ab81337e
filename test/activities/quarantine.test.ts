import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  listQuarantine,
  type Quarantined,
  releaseQuarantined,
  showQuarantined,
} from '../../src/state/quarantine-release.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { acknowledgeQuarantined, purgeQuarantined, withdrawQuarantined } from '../../src/state/quarantine-decisions.ts';
import { leftoverFacts } from '../../src/watch/leftovers.ts';
import { type Application, eachWithApplication } from '../fakes/application.ts';
import { DAY, DayRun, inputKey, resultOf, runId } from '../fakes/day-run.ts';
import { answerForeign, foreignId, foreignMessage } from '../fakes/foreign-launcher.ts';
import { DONE_QUEUE } from '../fakes/names.ts';

const NIGHTLY = 'nightly/28';
const file = (name: string): string => inputKey(NIGHTLY, name);
const signal = new AbortController().signal;

async function list(app: Application): Promise<readonly Quarantined[]> {
  return (await listQuarantine(app, 100, signal)).listed;
}

async function only(app: Application): Promise<Quarantined> {
  const [entry, ...others] = await list(app);
  assert.ok(entry !== undefined && others.length === 0);
  return entry;
}

/** A day whose first result breaks the rules. */
async function dayWithBrokenResult(app: Application): Promise<DayRun> {
  const day = new DayRun(app);
  const bad = `${resultOf([file('d1')])}nightly/28/GC_MS/by-foo\t{}\n`;
  await day.analyse([file('d1'), file('d2')], ({ id }) => (id.endsWith('/1') ? { result: bad } : {}));
  return day;
}

async function refuseForeign(app: Application, number: number): Promise<void> {
  app.queues.put(DONE_QUEUE, foreignMessage({ number, files: [file(`f${number}`)] }));
  const day = new DayRun(app, 50 + number);
  day.storeInput([file('own')]);
  await day.planTasks();
  await day.drain({ maxSeconds: 1 });
}

async function adoptAndPlan(app: Application, number: number): Promise<void> {
  const run = { runId: runId(900 + number), prefix: `state/rounds/${number}/${runId(900 + number)}/` };
  await app.run('collectWaiting', { doneQueue: DONE_QUEUE, results: 1, maxSeconds: 1 });
  await app.run('planRound', { run, instant: String(number), results: 10 });
}

describe('a refused done message', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  it('goes to the done queue as it came, stays in the quarantine, and shows as released', async () => {
    const app = application();
    await refuseForeign(app, 1);
    const { sha, reason, released } = await only(app);
    assert.deepEqual([reason, released], ['unknown_run', null]);
    const [release] = await releaseQuarantined(app, [sha.slice(0, 6)], signal);
    assert.equal(release?.outcome, 'released');
    assert.deepEqual(app.queues.bodies(DONE_QUEUE), [foreignMessage({ number: 1, files: [file('f1')] })]);
    const shown = await showQuarantined(app, sha, signal);
    assert.notEqual(shown.released, null);
    assert.deepEqual(await only(app), shown);
  });

  it('is judged again by the next drain: refused into the same object while nothing changed', async () => {
    const app = application();
    await refuseForeign(app, 1);
    const { sha } = await only(app);
    await releaseQuarantined(app, [sha], signal);
    const day = new DayRun(app, 60);
    day.storeInput([file('own')]);
    await day.planTasks();
    assert.equal((await day.drain({ maxSeconds: 1 })).quarantined, 1);
    assert.equal((await only(app)).sha, sha);
  });

  it('is not released when SQS does not take it', async () => {
    const app = application();
    await refuseForeign(app, 1);
    const { sha } = await only(app);
    app.queues.refuseNext('send', [0]);
    const [release] = await releaseQuarantined(app, [sha], signal);
    assert.equal(release?.outcome, 'refused');
    assert.match(release.message, /SQS did not take/);
    assert.equal((await only(app)).released, null);
  });

  it('several: one wrong name, and nothing is sent', async () => {
    const app = application();
    await refuseForeign(app, 1);
    const { sha } = await only(app);
    const unknown = sha.startsWith('f') ? 'e'.repeat(8) : 'f'.repeat(8);
    await assert.rejects(releaseQuarantined(app, [sha, unknown], signal), /Nothing in the quarantine begins with/);
    assert.deepEqual(app.queues.bodies(DONE_QUEUE), []);
  });

  it('named twice it is sent once', async () => {
    const app = application();
    await refuseForeign(app, 1);
    const { sha } = await only(app);
    assert.equal((await releaseQuarantined(app, [sha, sha.slice(0, 8)], signal)).length, 1);
    assert.equal(app.queues.bodies(DONE_QUEUE).length, 1);
  });
});

describe('a foreign result with an input file that is counted already', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 }, adoptForeignResults: true });

  async function refusedResult(app: Application): Promise<Quarantined> {
    const day = new DayRun(app);
    await day.analyse([file('d1')]);
    await day.publish();
    answerForeign(app, { number: 1, files: [file('d1')] });
    await adoptAndPlan(app, 1);
    return only(app);
  }

  it('waits again, and the next round judges it', async () => {
    const app = application();
    const { sha, reason } = await refusedResult(app);
    assert.equal(reason, 'duplicate_input');
    assert.deepEqual(app.analysis.keys(stateKeys.allWaiting), []);
    const [release] = await releaseQuarantined(app, [sha], signal);
    assert.equal(release?.outcome, 'released');
    assert.deepEqual(app.analysis.keys(stateKeys.allWaiting), [stateKeys.waiting(foreignId(1), 'done')]);
    await adoptAndPlan(app, 2);
    assert.deepEqual(app.analysis.keys(stateKeys.allWaiting), [], 'still counted, so refused again');
    assert.equal((await only(app)).sha, sha);
  });

  it('without its receipt it is not released: the next round would fail', async () => {
    const app = application();
    const { sha } = await refusedResult(app);
    await app.analysis.delete([stateKeys.foreignReceipt(foreignId(1), 'done')]);
    const [release] = await releaseQuarantined(app, [sha], signal);
    assert.match(release?.message ?? '', /receipt of .* is gone/);
    assert.deepEqual(app.analysis.keys(stateKeys.allWaiting), []);
  });
});

describe('a broken result', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  it('of a daily run: refused, with the command that analyses its day again', async () => {
    const app = application();
    await dayWithBrokenResult(app);
    const { sha } = await only(app);
    const [release] = await releaseQuarantined(app, [sha], signal);
    assert.equal(release?.outcome, 'refused');
    assert.match(release.message, new RegExp(`telemetry run-day --day ${DAY}$`));
    assert.equal((await only(app)).released, null);
  });

  it('of a run that is no longer known: refused without a day', async () => {
    const app = application();
    const day = await dayWithBrokenResult(app);
    await app.analysis.delete([stateKeys.runIndex(day.run.runId)]);
    const { sha } = await only(app);
    const [release] = await releaseQuarantined(app, [sha], signal);
    assert.match(release?.message ?? '', /whoever sent the task/);
  });
});

describe('the list', () => {
  const application = eachWithApplication();

  it('is newest first and bounded, says how many there are, and shows damaged objects', async () => {
    const app = application();
    for (const [index, content] of ['a', 'b', 'c'].entries()) {
      const entry = { what: 'done_message', reason: 'bad_json', message: content, content };
      app.analysis.store(stateKeys.quarantine(String(index).repeat(64)), content === 'c' ? '{' : JSON.stringify(entry));
      const stored = app.analysis.contents.get(stateKeys.quarantine(String(index).repeat(64)));
      assert.ok(stored !== undefined);
      Object.assign(stored, { lastModified: new Date(Date.UTC(2013, 9, 1 + index)) });
    }
    app.analysis.store('state/quarantine/note.txt', 'of a person');
    const { total, listed } = await listQuarantine(app, 2, signal);
    assert.equal(total, 3);
    assert.deepEqual(
      listed.map(({ reason, message }) => [reason, /is damaged/.test(message)]),
      [
        ['bad_entry', true],
        ['bad_json', false],
      ],
    );
  });
});

describe('a decision about quarantined things', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
  const decision = (app: Application) => ({
    ...{ reason: 'a test of the launcher', by: 'ops@node1' },
    at: new Date(app.clock.now).toISOString(),
  });
  const recent = async (app: Application): Promise<number> =>
    (await leftoverFacts(app.analysis, new Date(app.clock.now), signal)).quarantine.recent;

  it('acknowledged: shown with its reason, no finding of the watch, still there to be released', async () => {
    const app = application();
    await refuseForeign(app, 1);
    await refuseForeign(app, 2);
    const [one, two] = await list(app);
    assert.equal(await recent(app), 2);
    const given = decision(app);
    assert.deepEqual(await acknowledgeQuarantined(app.analysis, [one!.sha.slice(0, 6)], given, signal), [one!.sha]);
    assert.equal(await recent(app), 1);
    const { quarantine } = await leftoverFacts(app.analysis, new Date(app.clock.now), signal);
    assert.deepEqual([quarantine.acknowledged, quarantine.reasons], [1, { unknown_run: 1 }]);
    const shown = await showQuarantined(app, one!.sha, signal);
    assert.deepEqual(shown.acknowledged, given);
    assert.equal((await showQuarantined(app, two!.sha, signal)).acknowledged, null);
    const [release] = await releaseQuarantined(app, [one!.sha], signal);
    assert.equal(release?.outcome, 'released');

    assert.deepEqual(await withdrawQuarantined(app.analysis, [one!.sha, two!.sha], signal), [one!.sha]);
    assert.equal(await recent(app), 2);
  });

  it('acknowledged, all of them: what comes later is a problem', async () => {
    const app = application();
    await refuseForeign(app, 1);
    assert.equal((await acknowledgeQuarantined(app.analysis, { before: null }, decision(app), signal)).length, 1);
    assert.equal(await recent(app), 0);
    await refuseForeign(app, 2);
    assert.equal(await recent(app), 1);
  });

  it('that cannot be read hides no other one', async () => {
    const app = application();
    await refuseForeign(app, 1);
    const { sha } = await only(app);
    app.analysis.store(stateKeys.quarantineAcknowledged(sha), 'no JSON');
    assert.equal((await only(app)).acknowledged?.by, '?');
    assert.equal(await recent(app), 0);
  });

  it('purged: gone with its marks, and recorded without its content', async () => {
    const app = application();
    await refuseForeign(app, 1);
    const { sha, reason, message } = await only(app);
    await releaseQuarantined(app, [sha], signal);
    await acknowledgeQuarantined(app.analysis, [sha], decision(app), signal);
    const given = decision(app);
    assert.deepEqual(await purgeQuarantined(app.analysis, [sha], given, signal), [sha]);
    assert.deepEqual(await listQuarantine(app, 100, signal), { total: 0, listed: [] });
    assert.equal(await recent(app), 0);
    for (const key of [stateKeys.quarantineReleased(sha), stateKeys.quarantineAcknowledged(sha)])
      assert.equal(await app.analysis.head(key), undefined);
    assert.deepEqual(app.analysis.json(stateKeys.quarantinePurged(sha)), {
      ...given,
      refused: { what: 'done_message', reason, message },
    });
  });

  it('purged by age: what is newer stays; a wrong name stops all before anything is done', async () => {
    const app = application();
    await refuseForeign(app, 1);
    app.clock.advance(40 * 86_400);
    await refuseForeign(app, 2);
    const [newer] = await list(app);
    await assert.rejects(
      purgeQuarantined(app.analysis, [newer!.sha, 'abcdef012345'], decision(app), signal),
      /Nothing in the quarantine begins with/,
    );
    assert.equal((await list(app)).length, 2);
    const before = new Date(app.clock.now - 30 * 86_400_000);
    assert.equal((await purgeQuarantined(app.analysis, { before }, decision(app), signal)).length, 1);
    assert.equal((await only(app)).sha, newer!.sha);
    await refuseForeign(app, 1);
    assert.equal((await list(app)).length, 2, 'the same message is refused again, as new');
  });
});
