/** Stored data that is gone or damaged stops its own channel/version and nothing else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eachWithApplication } from '../fakes/application.ts';
import { DayRun, inputKey } from '../fakes/day-run.ts';
import { assertWhole, submissionsOf, versionsOf } from '../fakes/published-space.ts';

const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
const NEXT = '20131030';
const BOTH = (day: string) => [inputKey('nightly/28', `n${day}`, day), inputKey('aurora/27', `a${day}`, day)];

describe('a stored segment that', () => {
  for (const [fault, content] of [
    ['is gone', undefined],
    ['is damaged', 'no part'],
  ] as const) {
    it(`${fault} leaves its channel/version as it was; the others are published`, async () => {
      const app = application();
      const [first, second] = [new DayRun(app, 1), new DayRun(app, 2, NEXT)];
      await first.analyse(BOTH(first.day));
      await first.publish();
      const before = versionsOf(app).folders.get('aurora/27');
      const [segment] = [...app.analysis.contents.keys()].filter((key) => key.startsWith('state/segments/aurora/27/'));
      assert.ok(segment !== undefined);
      if (content === undefined) app.analysis.contents.delete(segment);
      else app.analysis.store(segment, content);

      await second.analyse(BOTH(NEXT));
      const publication = second.publication();
      const { snapshots } = await app.run('planPublication', publication);
      const staged = [];
      for (let index = 0; index < snapshots; index += 1)
        staged.push(await app.run('stageSnapshot', { ...publication, index }));
      const damaged = staged.filter(({ folder }) => folder === null);
      assert.deepEqual(
        damaged.map(({ channelVersion }) => channelVersion),
        ['aurora/27'],
      );
      assert.notEqual(damaged[0]?.damage, null);
      assert.deepEqual(await second.commit(), { outcome: 'committed', seq: 2 });

      assert.equal(versionsOf(app).folders.get('aurora/27'), before);
      assert.equal(submissionsOf(app, 'aurora/27'), 1);
      assert.equal(submissionsOf(app, 'nightly/28'), 2);
      if (content !== undefined) assertWhole(app);

      const report = await app.run('writeReport', {
        run: second.run,
        day: NEXT,
        plan: { files: 2, tasks: 2, bytes: 20, skipped: {}, missingKeys: 0, chunkTasks: 100 },
        counts: {
          planned: 2,
          done: 2,
          failed: 0,
          missing: 0,
          files: { processed: 2, missing: 0, partial: 0 },
          records: 2,
          skipped: {},
          dropped: {},
          failedTasks: {},
        },
        publication: { decision: 'published', seq: 2, attempt: publication.attempt },
      });
      assert.match(report.warnings[0] ?? '', /^aurora\/27 stays as it was, because its stored data is damaged: /);
    });
  }
});
