/** `verify` over everything beside days: rounds of continuous aggregation, an adopted history, days folded into a base. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { CompactedBase, Segment } from '../../src/pipeline/dataset/ledger.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { type Application, eachWithApplication, PREFIX } from '../fakes/application.ts';
import { inputKey } from '../fakes/day-run.ts';
import { publishDay, rowResult } from '../fakes/adopted-days.ts';
import { answerForeign, foreignId } from '../fakes/foreign-launcher.ts';
import { inProcessThreads } from '../fakes/in-process-threads.ts';
import { adoptNow, BOOL_FOLDER, storeOriginal, workedExample } from '../fakes/original-space.ts';
import { ledgerOf } from '../fakes/published-space.ts';
import { Round } from '../fakes/round.ts';
import { commitNext, found, NIGHTLY, publishTwoDays, rewrite, verifyNow } from '../fakes/verified-space.ts';

describe('verify of rounds of continuous aggregation', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 }, adoptForeignResults: true });

  async function publishRounds(app: Application): Promise<[Round, Round]> {
    const rounds: [Round, Round] = [new Round(app, 1), new Round(app, 2)];
    for (const [index, round] of rounds.entries()) {
      for (const number of [1, 2])
        answerForeign(app, { number: 2 * index + number, files: [inputKey(NIGHTLY, `r${index}${number}`)] });
      await round.collect();
      assert.equal(await round.whole(), 'committed');
      app.clock.advance(60);
    }
    await app.run('updateProjections', undefined);
    return rounds;
  }

  it('finds nothing, and counts them beside days', async () => {
    const app = application();
    await publishTwoDays(app);
    await publishRounds(app);
    const report = await verifyNow(app);
    assert.deepEqual([report.findings, report.counts.days, report.counts.rounds], [[], 2, 2]);
  });

  it('finds a result that two rounds took', async () => {
    const app = application();
    const [, second] = await publishRounds(app);
    rewrite(app.analysis, stateKeys.roundTaken(second.run), ({ results, ...rest }) => ({
      ...rest,
      results: [...(results as object[]).slice(1), { taskId: foreignId(1), outcome: 'done' }],
    }));
    const report = await verifyNow(app);
    assert.deepEqual(found(report), ['error I1 double-task']);
    assert.match(report.findings[0]?.what ?? '', /task f0000000-0000-4000-8000-00000000000f\/1, which round-/);
  });

  it('a round that a channel/version still counts after a day took its place is found', async () => {
    const app = application();
    await publishRounds(app);
    await commitNext(app, ({ entries }) => ({ entries: new Map([...entries].slice(1)) }));
    assert.deepEqual(found(await verifyNow(app)), ['error I3 wrong-sum']);
  });
});

describe('verify of an adopted data set', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
  const UNADOPTED = '20131030000000-28-nightly';

  it('finds nothing, neither in the folders of the original nor in those rendered since', async () => {
    const app = application();
    const original = workedExample();
    original.set(`${UNADOPTED}/filter-tree.json`, '{}');
    storeOriginal(app, original);
    await adoptNow(app);
    const first = await verifyNow(app);
    assert.deepEqual(
      first.findings.map(({ severity, where }) => [severity, where]),
      [['note', `s3://published/${PREFIX}${UNADOPTED}/`]],
    );
    assert.deepEqual([first.counts.adopted, first.counts.rendered, first.counts.days], [2, 0, 0]);
    app.clock.advance(60);
    await publishDay(app, rowResult([1, 0, 0, 1, -1, -1, 1, 0, 1], '20131101', '20131101030201'), ['f1']);
    await app.run('updateProjections', undefined);
    const then = await verifyNow(app);
    assert.deepEqual([found(then), then.counts.adopted, then.counts.rendered], [['note GC unreferenced'], 1, 1]);
  });

  it('finds a folder of the original that was written again', async () => {
    const app = application();
    storeOriginal(app, workedExample());
    await adoptNow(app);
    app.published.store(`${PREFIX}${BOOL_FOLDER}/BOOL-by-submission-date.json`, '{ }');
    assert.deepEqual(found(await verifyNow(app)), ['error I4 wrong-hash']);
  });
});

describe('verify of days that were folded into a base', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });

  /** Folds segments of a channel/version into an object as compaction would; its folder stays. */
  async function fold(app: Application, segments: readonly Segment[], channelVersion = NIGHTLY) {
    const { workDirectory } = app.settings;
    const parts = segments.map(({ day }) => join(workDirectory, day));
    for (const [index, { key }] of segments.entries())
      await writeFile(parts[index] ?? '', app.analysis.contents.get(key)?.body ?? '');
    const output = join(workDirectory, 'base');
    const { sha256, slots, storedBytes } = await inProcessThreads().mergePartFiles({ parts, output });
    const key = `state/segments/${channelVersion}/base-${sha256.slice(0, 32)}.ndjson.zst`;
    await app.analysis.createOnce(key, { path: output, size: storedBytes });
    return { key, sha: sha256, slots, days: segments.map(({ day }) => day) };
  }

  async function commitBase(app: Application, base: CompactedBase, segments: readonly Segment[]): Promise<void> {
    await commitNext(app, ({ channelVersions }) => {
      const entry = channelVersions.get(NIGHTLY) ?? assert.fail();
      return { channelVersions: new Map(channelVersions).set(NIGHTLY, { ...entry, base, segments }) };
    });
  }

  it('finds nothing: the folder that was kept is what the base gives, with and without its own segments', async () => {
    const app = application();
    await publishTwoDays(app);
    const segments = ledgerOf(app).channelVersions.get(NIGHTLY)?.segments ?? [];
    const whole = await fold(app, segments);
    await commitBase(app, { ...whole, kept: segments, beneath: null }, []);
    assert.deepEqual((await verifyNow(app)).findings, []);
    const beneath = await fold(app, segments.slice(0, 1));
    await commitBase(app, { ...whole, kept: segments.slice(1), beneath }, []);
    assert.deepEqual((await verifyNow(app)).findings, []);
    await commitBase(app, { ...whole, kept: [], beneath: null }, []);
    app.clock.advance(80 * 3600);
    await app.analysis.delete(segments.map(({ key }) => key));
    const report = await verifyNow(app);
    assert.deepEqual([report.findings, report.counts.rendered], [[], 2]);
  });

  it('finds a base that lacks a day, and one of its kept segments or what lies beneath that is gone', async () => {
    const app = application();
    await publishTwoDays(app);
    const segments = ledgerOf(app).channelVersions.get(NIGHTLY)?.segments ?? [];
    const beneath = await fold(app, segments.slice(0, 1));
    await commitBase(app, { ...beneath, days: segments.map(({ day }) => day), kept: segments.slice(1), beneath }, []);
    assert.deepEqual(found(await verifyNow(app)), ['error I3 wrong-render']);
    await app.analysis.delete([beneath.key, segments[1]?.key ?? '']);
    const report = await verifyNow(app);
    assert.deepEqual(
      [...new Set(report.findings.map(({ invariant, kind, what }) => `${invariant} ${kind} ${what}`))],
      ['I4 missing the segment of 20131030 of nightly/28 is gone', 'I4 missing the base of nightly/28 is gone'],
    );
  });
});
