import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseContribution, type RunContribution } from '../../src/pipeline/dataset/contribution.ts';
import { FailureType } from '../../src/failures.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { eachWithApplication, environment } from '../fakes/application.ts';
import { DayRun, inputKey, resultOf } from '../fakes/day-run.ts';
import { endsCancelled, failsForGood, failsForNow } from '../fakes/failures.ts';

const FILES = ['aurora/27', 'nightly/28', 'nightly/28', 'nightly/29'].map((name, n) => inputKey(name, `f${n}`));
const CHUNKS = [
  { chunk: 1, done: 2, failed: 0 },
  { chunk: 2, done: 2, failed: 0 },
];

describe('buildContribution', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
  const stored = (day: DayRun): RunContribution =>
    parseContribution(day.app.analysis.text(stateKeys.contribution(day.run)));
  const lines = (day: DayRun, key: string): string[] => day.app.analysis.text(key).split('\n').slice(0, -1);

  it('leaves out a result that names more than 1,000 channel/versions, and counts the others', async () => {
    const day = new DayRun(application());
    const invented = Array.from({ length: 1001 }, (_, index) => inputKey(`invented/${index}`, 'f'));
    const summary = await day.analyse(FILES, ({ id }) => (id.endsWith('/1') ? { result: resultOf(invented) } : {}));
    assert.deepEqual([summary.done, summary.failedTasks], [3, { result_rejected: 1 }]);
    assert.deepEqual(
      stored(day).segments.map(({ channelVersion }) => channelVersion),
      ['nightly/28', 'nightly/29'],
    );
  });

  it('leaves out what a result says of channel/versions that no file of the plan is of', async () => {
    const [day, alone] = [new DayRun(application()), new DayRun(application(), 2)];
    const odd = inputKey('invented/1', 'f');
    const summary = await day.analyse(FILES, ({ id, files }) =>
      id.endsWith('/1') ? { result: resultOf([...files, odd]) } : {},
    );
    assert.equal(summary.dropped['unplanned_channel_version'], 1);
    await alone.analyse(FILES);
    assert.deepEqual(stored(day).segments, stored(alone).segments);
  });

  it('leaves out and counts rows of days of submission that are later than the day after its own', async () => {
    const [day, alone] = [new DayRun(application()), new DayRun(application(), 2)];
    const rows = (...dates: string[]): string =>
      `nightly/28/ODD/by-submission-date\t${JSON.stringify(Object.fromEntries(dates.map((date) => [`${date}/r/a/o/v/x`, { values: [1, 0, 0, 1, -1, -1, 0, 0, 1], buildId: '20131029030201', revision: '' }])))}\n`;
    const with2 =
      (more: string) =>
      ({ id, files }: { id: string; files: readonly string[] }) =>
        id.endsWith('/2') ? { result: resultOf(files) + more } : {};
    const summary = await day.analyse(FILES, with2(rows('20131029', '20131030', '20131031', '99991231')));
    assert.equal(summary.dropped['submitted_in_future'], 2);
    const honest = await alone.analyse(FILES, with2(rows('20131029', '20131030')));
    assert.deepEqual(honest.dropped, {});
    assert.deepEqual(stored(day).segments, stored(alone).segments);
  });

  it('makes one segment per channel/version out of all chunks', async () => {
    const day = new DayRun(application());
    const summary = await day.analyse(FILES);
    assert.equal(summary.channelVersions, 3);
    assert.equal(summary.records, 4);
    assert.deepEqual(
      stored(day).segments.map(({ channelVersion }) => channelVersion),
      ['aurora/27', 'nightly/28', 'nightly/29'],
    );
    for (const { key } of stored(day).segments) assert.ok(day.app.analysis.contents.has(key));
  });

  it('every planned file is in exactly one list, with the reason when it is missing', async () => {
    const day = new DayRun(application());
    const summary = await day.analyse(FILES, ({ id, files }) => {
      if (id.endsWith('/1')) return { aborted: true };
      if (id.endsWith('/3')) return { silent: true };
      return { report: { filesFailed: id.endsWith('/2') ? [{ key: files[0]!, reason: 'bad_container' }] : [] } };
    });
    assert.deepEqual([summary.planned, summary.done, summary.failed, summary.missing], [4, 2, 1, 1]);
    const processed = lines(day, stored(day).filesProcessedKey);
    const missing = lines(day, stored(day).filesMissingKey);
    assert.deepEqual(processed, [FILES[3]]);
    assert.deepEqual(missing, [`${FILES[0]!}\taborted`, `${FILES[1]!}\tbad_container`, `${FILES[2]!}\tno_result`]);
    assert.deepEqual(summary.files, { processed: 1, missing: 3, partial: 0 });
    assert.deepEqual(summary.failedTasks, { aborted: 1 });
  });

  it('is stored once: a retry answers the same and writes nothing', async () => {
    const day = new DayRun(application());
    const first = await day.analyse(FILES);
    day.app.trace.clear();
    const input = { run: day.run, day: day.day, tasks: 4, chunks: CHUNKS };
    assert.deepEqual(await day.app.run('buildContribution', input), first);
    assert.equal(day.app.trace.effective('createOnce').length, 0);
    assert.equal(day.app.trace.effective('put').length, 0);
  });

  it('equal results give equal segments, whichever order the messages came in', async () => {
    const app = application();
    const [one, two] = [new DayRun(app, 1), new DayRun(app, 2)];
    await one.analyse(FILES);
    two.storeInput(FILES);
    await two.planTasks();
    await two.enqueue();
    const queue = app.queues.queues.get('analysis-tasks')!;
    queue.messages.reverse();
    two.answerTasks();
    await two.contribute();
    assert.deepEqual(stored(two).segments, stored(one).segments);
  });

  for (const lost of [/state\/segments/, /files-missing/, /contribution/]) {
    it(`a lost answer at ${String(lost)} is no loss: the retry ends it`, async () => {
      const day = new DayRun(application());
      day.app.trace.fail({ method: 'createOnce', key: lost, when: 'after' });
      await failsForNow(day.analyse(FILES), /injected/);
      const input = { run: day.run, day: day.day, tasks: 4, chunks: CHUNKS };
      assert.equal((await day.app.run('buildContribution', input)).channelVersions, 3);
    });
  }

  it('a damaged chunk head is an error that is not tried again', async () => {
    const day = new DayRun(application());
    await day.analyse(FILES);
    await day.app.analysis.delete([stateKeys.contribution(day.run)]);
    day.app.analysis.store(stateKeys.chunk(day.run, CHUNKS[0]!), '{"chunk"');
    const input = { run: day.run, day: day.day, tasks: 4, chunks: CHUNKS };
    await failsForGood(day.app.run('buildContribution', input), FailureType.StateDamaged, /chunks\/1-2-0\.json/);
  });

  it('stores no contribution once it is cancelled', async () => {
    const day = new DayRun(application());
    await day.analyse(FILES);
    await day.app.analysis.delete([stateKeys.contribution(day.run)]);
    const env = environment();
    day.app.trace.before('createOnce', /state\/segments/, () => {
      env.cancel();
    });
    const input = { run: day.run, day: day.day, tasks: 4, chunks: CHUNKS };
    await endsCancelled(day.app.runIn(env, 'buildContribution', input));
    assert.ok(!day.app.analysis.contents.has(stateKeys.contribution(day.run)));
  });
});

describe('collectInvestigation', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  it('stores one merged result and its report, and nothing in the published bucket', async () => {
    const day = new DayRun(application());
    await day.analyse(FILES);
    day.app.trace.clear();
    const summary = await day.app.run('collectInvestigation', { run: day.run, name: 'gc', tasks: 4, chunks: CHUNKS });
    assert.equal(summary.result, 's3://analysis/investigations/gc/result.txt');
    assert.equal(summary.lines, 3);
    assert.equal(day.app.analysis.text('investigations/gc/result.txt').split('\n').length - 1, 3);
    assert.equal(day.app.analysis.json('investigations/gc/report.json')['planned'], 4);
    assert.deepEqual(
      day.app.trace.calls.filter(({ service }) => service === 'published'),
      [],
    );
  });
});
