/** `verify` over a space that the application published, whole and then broken in one place: it finds that, and nothing else. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parseLedger } from '../../src/pipeline/dataset/ledger-document.ts';
import { serialiseVersions } from '../../src/pipeline/dataset/versions.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { verifyDataSet } from '../../src/verify/verify.ts';
import { type Application, eachWithApplication, PREFIX, VERSIONS } from '../fakes/application.ts';
import { DayRun, inputKey } from '../fakes/day-run.ts';
import { versionsOf } from '../fakes/published-space.ts';
import {
  commitInstead,
  found,
  keyOf,
  NEXT,
  NIGHTLY,
  publishTwoDays,
  rewrite,
  verifyNow,
} from '../fakes/verified-space.ts';

describe('verify', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
  const published = (name: string): RegExp => new RegExp(`^${PREFIX}\\d{14}-28-nightly/${name}$`);
  const current = (app: Application, name: string): string =>
    `${PREFIX}${versionsOf(app).folders.get(NIGHTLY) ?? ''}/${name}`;

  it('finds nothing in what the application published, and counts what it saw', async () => {
    const app = application();
    await publishTwoDays(app);
    const report = await verifyNow(app);
    assert.deepEqual(report.findings, []);
    const { days, rounds, folders, rendered, superseded, earlierCommits } = report.counts;
    assert.deepEqual([days, rounds, folders, rendered, superseded, earlierCommits], [2, 0, 2, 2, 2, 2]);
    assert.deepEqual([report.commit?.seq, report.errors, report.notes], [2, 0, 0]);
    assert.deepEqual((await verifyNow(app, true)).findings, []);
  });

  it('writes nothing and leaves nothing in the work directory', async () => {
    const app = application();
    await publishTwoDays(app);
    const before = app.trace.calls.length;
    await verifyNow(app);
    const methods = new Set(app.trace.calls.slice(before).map(({ method }) => method));
    assert.deepEqual([...methods].toSorted(), ['get', 'getToFile', 'head', 'list']);
  });

  it('of a data set without any commit finds nothing', async () => {
    assert.deepEqual((await verifyNow(application())).findings, []);
  });

  type Break = (app: Application, days: [DayRun, DayRun]) => void | Promise<void>;
  const cases: [what: string, finds: string[], brk: Break][] = [
    [
      'I1: a task that two chunks have',
      ['error I1 double-task', 'error I8 wrong-count'],
      (app) => {
        rewrite(app.analysis, keyOf(app.analysis, /20131029.*chunks\/2-[\d-]+\.json$/), (head) => ({
          ...head,
          done: [...(head['done'] as object[]), { number: 1, etag: '"x"' }],
        }));
      },
    ],
    [
      'I1: a task that a chunk has as done and as missing',
      ['error I1 double-task', 'error I8 wrong-count'],
      (app) => {
        rewrite(app.analysis, keyOf(app.analysis, /20131030.*chunks\/1-[\d-]+\.json$/), (head) => ({
          ...head,
          missing: [1],
        }));
      },
    ],
    [
      'I1: a task that is planned twice',
      ['error I1 double-task'],
      (app) => {
        const key = keyOf(app.analysis, /20131029.*plan/);
        app.analysis.store(
          key,
          gzipSync(gunzipSync(app.analysis.contents.get(key)!.body).toString().replace('/2"', '/1"')),
        );
      },
    ],
    [
      'I1: a run that two days count',
      [
        'error I1 double-task',
        'error I2 damaged',
        'error I2 double-file',
        'error I8 missing',
        'error C9 stale-projection',
      ],
      (app, [first]) => {
        commitInstead(app, (ledger) => {
          const entry = ledger.entries.get(first.day)!;
          return { ...ledger, entries: new Map(ledger.entries).set('20131101', entry) };
        });
      },
    ],
    [
      'I1: a task merged without receipt',
      ['error I1 missing'],
      (app) => app.analysis.delete([keyOf(app.analysis, /20131029.*receipts\/1\.done/)]),
    ],
    [
      'I2: an input file that two days count',
      ['error I2 double-file', 'error I8 wrong-count', 'error C9 stale-projection'],
      async (app, [first]) => {
        const twice = new DayRun(app, 3, '20131028');
        await twice.analyse([inputKey(NIGHTLY, 'x', '20131028')]);
        await twice.publish();
        await app.run('updateProjections', undefined);
        commitInstead(app, (ledger) => {
          const { files, fileLists } = ledger.entries.get(first.day)!;
          const own = ledger.entries.get('20131028')!;
          return { ...ledger, entries: new Map(ledger.entries).set('20131028', { ...own, files, fileLists }) };
        });
      },
    ],
    [
      'I3: a folder rendered from other segments',
      ['error I3 wrong-sum'],
      (app) => {
        rewrite(app.published, current(app, '_manifest.json'), (manifest) => ({
          ...manifest,
          segments: (manifest['segments'] as string[]).slice(1),
        }));
      },
    ],
    [
      'I3: a folder whose rows are not the sum of its segments, hashes and all',
      ['error I3 wrong-render'],
      (app) => {
        const name = 'GC_MS-by-build-date.json';
        const changed = gzipSync(app.published.text(current(app, name)).replace('2', '3'));
        app.published.store(current(app, name), changed);
        const sha256 = createHash('sha256').update(changed).digest('hex');
        rewrite(app.published, current(app, '_manifest.json'), (manifest) => ({
          ...manifest,
          files: (manifest['files'] as { name: string }[]).map((file) =>
            file.name === name ? { name, bytes: changed.length, sha256 } : file,
          ),
        }));
      },
    ],
    [
      'I3: a channel/version without a day that the ledger counts',
      ['error I3 wrong-sum'],
      (app) => {
        commitInstead(app, (ledger) => {
          const entry = ledger.channelVersions.get(NIGHTLY)!;
          const channelVersions = new Map(ledger.channelVersions);
          channelVersions.set(NIGHTLY, { ...entry, segments: entry.segments.slice(1) });
          return { ...ledger, channelVersions };
        });
      },
    ],
    [
      'I4: a file of a folder that is gone',
      ['error I4 missing'],
      (app) => app.published.delete([current(app, 'revisions.json')]),
    ],
    [
      'I4: a manifest that is gone',
      ['error I4 missing'],
      (app) => app.published.delete([current(app, '_manifest.json')]),
    ],
    [
      'I4: a folder that is gone',
      ['error I4 missing'],
      (app) => app.published.delete(app.published.keys(current(app, ''))),
    ],
    [
      'I4: a file of the same size with other content',
      ['error I4 wrong-hash'],
      (app) => {
        const key = current(app, 'GC_MS-by-build-date.json');
        const body = Buffer.from(app.published.contents.get(key)!.body);
        body.writeUInt8(body.readUInt8(20) ^ 1, 20);
        app.published.store(key, body);
      },
    ],
    [
      'I4: a file that was cut',
      ['error I4 wrong-hash'],
      (app) => {
        const key = current(app, 'histograms.json');
        app.published.store(key, app.published.contents.get(key)!.body.subarray(0, 20));
      },
    ],
    [
      'I4: an object that the manifest does not know',
      ['error I4 extra'],
      (app) => void app.published.store(current(app, 'x'), '1'),
    ],
    [
      'I4: a manifest that is damaged',
      ['error I4 damaged'],
      (app) => void app.published.store(current(app, '_manifest.json'), gzipSync('{}')),
    ],
    [
      'I4: versions.json that shows another folder than its ledger',
      ['error I4 damaged', 'error C9 stale-projection'],
      (app) => {
        const { head, folders } = versionsOf(app);
        const changed = new Map(folders).set(NIGHTLY, keyOf(app.published, published('revisions.json')).split('/')[1]!);
        app.published.store(VERSIONS, gzipSync(serialiseVersions({ head, folders: changed })));
      },
    ],
    [
      'I4: a segment that is gone',
      ['error I4 missing'],
      (app) => app.analysis.delete([keyOf(app.analysis, /segments\/nightly\/28\/20131029/)]),
    ],
    [
      'I6: a segment that was overwritten',
      ['error I6 wrong-hash'],
      (app) => {
        const [one, other] = ['nightly/28', 'aurora/27'].map((name) =>
          keyOf(app.analysis, new RegExp(`segments/${name}/20131029`)),
        );
        app.analysis.store(one!, app.analysis.contents.get(other!)!.body);
      },
    ],
    [
      'I6: a segment that does not decompress',
      ['error I6 wrong-hash'],
      (app) => void app.analysis.store(keyOf(app.analysis, /segments\/nightly\/28\/20131029/), 'no part'),
    ],
    [
      'I6: a part of a chunk that was cut',
      ['error I6 wrong-hash'],
      (app) => {
        const key = keyOf(app.analysis, /20131029.*chunks\/1-.*zst$/);
        app.analysis.store(key, app.analysis.contents.get(key)!.body.subarray(0, 30));
      },
    ],
    [
      'I6: a ledger of an earlier commit that was overwritten',
      ['error I6 wrong-hash'],
      (app) => {
        const key = app.analysis.keys('state/ledgers/').find((each) => parseLedger(app.analysis.text(each)).seq === 1)!;
        rewrite(app.analysis, key, (ledger) => ({ ...ledger, days: {} }));
      },
    ],
    [
      'I6: a list of input files that was cut',
      ['error I6 wrong-hash'],
      (app) => {
        const key = keyOf(app.analysis, /20131029.*files-processed/);
        app.analysis.store(key, app.analysis.contents.get(key)!.body.subarray(0, 30));
      },
    ],
    [
      'I6: a quarantine object that was changed',
      ['error I6 wrong-hash'],
      (app) => void app.analysis.store(stateKeys.quarantine('0'.repeat(64)), '{}'),
    ],
    [
      'I5: $head that is not what its ledger says',
      ['error I5 wrong-parent'],
      (app) => {
        const { head, folders } = versionsOf(app);
        app.published.store(VERSIONS, gzipSync(serialiseVersions({ head: { ...head, parent: 'other' }, folders })));
      },
    ],
    [
      'I5: a number that does not grow by one',
      ['error I5 wrong-parent', 'note C9 stale-projection'],
      (app) => {
        commitInstead(app, (ledger) => ({ ...ledger, seq: 7 }));
        const { head, folders } = versionsOf(app);
        app.published.store(VERSIONS, gzipSync(serialiseVersions({ head: { ...head, seq: 7 }, folders })));
      },
    ],
    [
      'I8: counts of a day that are not those of its run',
      ['error I2 damaged', 'error I8 wrong-count', 'error C9 stale-projection'],
      (app, [first]) => {
        commitInstead(app, (ledger) => {
          const entry = ledger.entries.get(first.day)!;
          return { ...ledger, entries: new Map(ledger.entries).set(first.day, { ...entry, done: 3, failed: 0 }) };
        });
      },
    ],
    [
      'I8: a task that is in no chunk',
      ['error I8 wrong-count'],
      (app) => {
        rewrite(app.analysis, keyOf(app.analysis, /20131029.*chunks\/1-[\d-]+\.json$/), (head) => ({
          ...head,
          done: (head['done'] as object[]).slice(1),
        }));
      },
    ],
    [
      'I8: a contribution that is gone',
      ['error I8 missing'],
      (app) => app.analysis.delete([keyOf(app.analysis, /20131029.*contribution/)]),
    ],
    [
      'I8: a plan that was cut',
      ['error I8 damaged'],
      (app) => {
        const key = keyOf(app.analysis, /20131029.*plan/);
        app.analysis.store(key, app.analysis.contents.get(key)!.body.subarray(0, 60));
      },
    ],
    [
      'I10: a folder that readers of the last commit may still use',
      ['error I10 missing'],
      (app) =>
        app.published.delete(
          app.published.keys(keyOf(app.published, published('_manifest.json')).replace('_manifest.json', '')),
        ),
    ],
    ['I12: no versions.json', ['error I12 missing'], (app) => app.published.delete([VERSIONS])],
    [
      'I12: versions.json that is damaged',
      ['error I12 damaged'],
      (app) => void app.published.store(VERSIONS, '{"nightly'),
    ],
    [
      'I12: versions.json that was cut',
      ['error I12 damaged'],
      (app) => void app.published.store(VERSIONS, app.published.contents.get(VERSIONS)!.body.subarray(0, 30)),
    ],
    ['the current ledger gone', ['error I4 missing'], (app) => app.analysis.delete([versionsOf(app).head.ledger])],
    [
      'C9: a list without a file',
      ['error C9 stale-projection'],
      (app) => void app.published.store(`${PREFIX}FILES_PROCESSED`, 'x\n'),
    ],
    [
      'C9: a list that is gone',
      ['error C9 stale-projection'],
      (app) => app.published.delete([`${PREFIX}FILES_MISSING`]),
    ],
    [
      'C9: a status.json of other days',
      ['error C9 stale-projection'],
      (app) => {
        rewrite(app.published, `${PREFIX}status.json`, (status) => ({ ...status, days: {} }));
      },
    ],
    [
      'GC: a folder that nobody began here',
      ['error GC unreferenced'],
      (app) => void app.published.store(`${PREFIX}20131031000000-28-nightly/GC_MS-by-build-date.json`, '{}'),
    ],
  ];
  for (const [what, expected, brk] of cases) {
    it(`finds ${what}`, async () => {
      const app = application();
      const days = await publishTwoDays(app);
      await brk(app, days);
      const report = await verifyNow(app);
      assert.deepEqual(found(report).toSorted(), expected.toSorted(), JSON.stringify(report.findings, null, 1));
      assert.ok(report.findings.every(({ where, action }) => where.startsWith('s3://') && action.length > 10));
      assert.ok(report.errors > 0);
    });
  }

  it('says of a folder that a publish has begun that it may be at work, and of an old one that nobody collects it', async () => {
    const app = application();
    await publishTwoDays(app);
    const third = new DayRun(app, 3, '20131101');
    await third.analyse([inputKey(NIGHTLY, 'n1', '20131101')]);
    await third.stage();
    const young = await verifyNow(app);
    assert.deepEqual([found(young), young.errors, young.notes], [['note GC unreferenced'], 0, 1]);
    app.clock.advance(9 * 86_400);
    assert.deepEqual(found(await verifyNow(app)), ['error GC unreferenced']);
  });

  it('projections of the commit before are no error within minutes of the commit', async () => {
    const app = application();
    await publishTwoDays(app);
    const third = new DayRun(app, 3, '20131101');
    await third.analyse([inputKey(NIGHTLY, 'n1', '20131101')]);
    await third.publish();
    assert.deepEqual(found(await verifyNow(app)), ['note C9 stale-projection']);
    app.clock.advance(3600);
    assert.deepEqual(found(await verifyNow(app)), ['error C9 stale-projection']);
  });

  it('garbage collection of superseded folders and of chunks and receipts leaves a whole data set', async () => {
    const app = application();
    await publishTwoDays(app);
    app.clock.advance(80 * 3600);
    const shown = new Set(versionsOf(app).folders.values());
    await app.published.delete(
      app.published.keys().filter((key) => /\/\d{14}-/.test(key) && !shown.has(key.split('/')[1]!)),
    );
    await app.analysis.delete(app.analysis.keys().filter((key) => /chunks|receipts/.test(key)));
    const report = await verifyNow(app);
    assert.deepEqual(report.findings, []);
    assert.deepEqual([report.counts.collectedRuns, report.counts.superseded], [2, 0]);
  });

  it('contributions of earlier releases, which do not name their chunks, are judged by the chunks that are stored', async () => {
    const app = application();
    const [, second] = await publishTwoDays(app);
    for (const key of app.analysis.keys().filter((each) => each.endsWith('contribution.json'))) {
      rewrite(app.analysis, key, ({ chunks, ...older }) => older);
    }
    assert.deepEqual(found(await verifyNow(app)), []);
    // An earlier state of a chunk, merged before all receipts were there.
    app.analysis.store(
      stateKeys.chunk(second.run, { chunk: 1, done: 1, failed: 0 }),
      JSON.stringify({ done: [{ number: 1, etag: '"x"' }], failed: [], missing: [2], parts: [] }),
    );
    assert.deepEqual(found(await verifyNow(app)), []);
  });

  it('a day run again, as it says, puts a lost segment back', async () => {
    const app = application();
    const [, second] = await publishTwoDays(app);
    const key = keyOf(app.analysis, /segments\/nightly\/28\/20131030/);
    await app.analysis.delete([key]);
    const [finding] = (await verifyNow(app)).findings;
    assert.match(finding?.action ?? '', /run the day again: telemetry run-day --day 20131030/);
    app.clock.advance(60);
    const again = new DayRun(app, 4, NEXT);
    await again.analyse([inputKey(NIGHTLY, 'n1', second.day), inputKey('aurora/27', 'a1', second.day)]);
    await again.publish();
    await app.run('updateProjections', undefined);
    assert.deepEqual((await verifyNow(app)).findings, []);
  });

  it('a commit that comes while it walks makes it begin again', async () => {
    const app = application();
    await publishTwoDays(app);
    const third = new DayRun(app, 3, '20131101');
    await third.analyse([inputKey(NIGHTLY, 'n1', '20131101')]);
    await third.stage();
    const ports = app.ports();
    const list = ports.analysis.list.bind(ports.analysis);
    let walks = 0;
    ports.analysis.list = async function* (prefix, ...rest) {
      // By then the pointer was read, and its lists are still to be compared.
      if (prefix === stateKeys.allSegments && (walks += 1) === 1) {
        await third.commit();
        await app.run('updateProjections', undefined);
      }
      yield* list(prefix, ...rest);
    };
    const report = await verifyDataSet(ports, {}, new AbortController().signal);
    assert.deepEqual([walks, report.findings, report.commit?.seq], [2, [], 3]);
  });

  it('quick sees what is gone, and reads no content', async () => {
    const app = application();
    await publishTwoDays(app);
    await app.analysis.delete([keyOf(app.analysis, /segments\/nightly\/28\/20131029/)]);
    await app.published.delete([current(app, 'revisions.json')]);
    const before = app.trace.calls.length;
    assert.deepEqual(found(await verifyNow(app, true)), ['error I4 missing']);
    const read = app.trace.calls.slice(before).filter(({ method }) => method === 'getToFile');
    assert.deepEqual(read, []);
  });
});
