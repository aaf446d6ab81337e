import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { AdoptionRefused } from '../../src/adoption/adoption.ts';
import { spaceInBucket, spaceInFolder } from '../../src/adoption/original-space.ts';
import { serialiseVersions } from '../../src/pipeline/dataset/versions.ts';
import { NIGHTLY, publishDay, rowResult, rowsOf } from '../fakes/adopted-days.ts';
import { type Application, eachWithApplication, PREFIX, VERSIONS } from '../fakes/application.ts';
import { adoptNow, BOOL_FOLDER, type OriginalFiles, storeOriginal, workedExample } from '../fakes/original-space.ts';
import { assertWhole, ledgerOf, versionsOf } from '../fakes/published-space.ts';

const FOREIGN = 'elsewhere/';
const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1 << 20 } });

async function refused(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof AdoptionRefused, String(error));
    assert.match(error.message, message);
    return true;
  });
}

describe('an adoption that is interrupted', () => {
  const faults: { method: string; key: RegExp; service?: string }[] = [
    { method: 'getToFile', key: /BOOL-by-build/ },
    { method: 'createOnce', key: /state\/segments/ },
    { method: 'createOnce', key: /state\/adoption\/folders\/.*nightly/ },
    { method: 'createOnce', key: /files-missing/ },
    { method: 'createOnce', key: /_manifest/ },
    { method: 'createOnce', key: /state\/ledgers/ },
    { method: 'put', key: /FILES_MISSING/ },
  ];
  for (const fault of faults) {
    for (const when of ['before', 'after'] as const) {
      it(`goes on when it is started again: ${fault.method} ${fault.key.source}, fault ${when}`, async () => {
        const app = application();
        storeOriginal(app, workedExample());
        app.trace.fail({ ...fault, when });
        await assert.rejects(adoptNow(app), /injected fault/);
        const switched = fault.method === 'put';
        assert.equal(app.published.text(VERSIONS).includes('$head'), switched);
        const { outcome, seq } = await adoptNow(app);
        assert.deepEqual([outcome, seq], [switched ? 'already-adopted' : 'adopted', 0]);
        assertWhole(app);
        assert.equal(app.published.text(`${PREFIX}FILES_MISSING`), 'm\n');
      });
    }
  }

  it('does not read a folder again that is done', async () => {
    const app = application();
    storeOriginal(app, workedExample());
    app.trace.fail({ method: 'createOnce', key: /state\/ledgers/ });
    await assert.rejects(adoptNow(app));
    app.trace.clear();
    await adoptNow(app);
    assert.deepEqual(app.trace.effective('getToFile', /by-build-date/), []);
  });

  for (const when of ['before', 'after'] as const) {
    it(`finds out what became of a switch whose answer is lost (fault ${when})`, async () => {
      const app = application();
      storeOriginal(app, workedExample());
      app.trace.fail({ method: 'replace', key: /versions/, when });
      assert.equal((await adoptNow(app)).outcome, 'adopted');
      assert.equal(app.trace.effective('replace', /versions/).length, 1);
      assertWhole(app);
    });
  }

  it('is one with another adoption at the same time', async () => {
    const app = application();
    storeOriginal(app, workedExample());
    app.trace.before('replace', /versions/, async () => {
      await adoptNow(app);
    });
    assert.deepEqual([(await adoptNow(app)).seq, ledgerOf(app).entries.size], [0, 1]);
    assertWhole(app);
  });

  it('gives way to another writer, whose map stays', async () => {
    const app = application();
    storeOriginal(app, workedExample());
    const other = '{"nightly/28":"20131102000000-28-nightly"}';
    app.trace.before('replace', /versions/, () => {
      app.published.store(VERSIONS, other);
    });
    await refused(adoptNow(app), /written by someone else meanwhile/);
    assert.equal(app.published.text(VERSIONS), other);
  });

  it('is refused when a folder was written after its manifest', async () => {
    const app = application();
    storeOriginal(app, workedExample());
    app.trace.fail({ method: 'createOnce', key: /state\/ledgers/ });
    await assert.rejects(adoptNow(app));
    app.published.store(`${PREFIX}${BOOL_FOLDER}/BOOL-by-submission-date.json`, '{"20131029":[]}');
    await refused(adoptNow(app), /delete that object and adopt again/);
  });
});

describe('a space that cannot be adopted', () => {
  const wrong: [what: string, change: (files: OriginalFiles) => void, message: RegExp][] = [
    ['no versions.json', (files) => files.delete('versions.json'), /versions\.json does not exist/],
    ['a map that is no JSON', (files) => files.set('versions.json', '{"nightly'), /versions\.json is not understood/],
    ['a list instead of a map', (files) => files.set('versions.json', '[]'), /should be an object/],
    [
      'a folder name that leads out of the space',
      (files) => files.set('versions.json', '{"nightly/28":"../../private"}'),
      /names "\.\.\/\.\.\/private" for nightly\/28/,
    ],
    [
      'a folder that is gone',
      (files) => files.set('versions.json', '{"nightly/29":"20131101000000-29-nightly"}'),
      /nightly\/29: folder 20131101000000-29-nightly: .* is not there/,
    ],
    [
      'a filter tree that is gone',
      (files) => files.delete(`${BOOL_FOLDER}/filter-tree.json`),
      /nightly\/28.*filter-tree/,
    ],
    ['revisions that are broken', (files) => files.set(`${BOOL_FOLDER}/revisions.json`, '{'), /nightly\/28.*revisions/],
  ];
  for (const [what, change, message] of wrong) {
    it(`${what}: is told, and readers see what they saw`, async () => {
      const app = application();
      const files = workedExample();
      change(files);
      storeOriginal(app, files);
      const before = app.published.keys();
      const map = app.published.contents.get(VERSIONS)?.body;
      await refused(adoptNow(app), message);
      assert.deepEqual(app.published.keys(), before);
      assert.deepEqual(app.published.contents.get(VERSIONS)?.body, map);
    });
  }

  it('tells everything that is wrong at once', async () => {
    const app = application();
    const files = workedExample();
    files.set(
      'versions.json',
      `{"nightly/28":"${BOOL_FOLDER}","nightly/29":"x","nightly/30":"20131101000000-30-nightly"}`,
    );
    files.delete(`${BOOL_FOLDER}/histograms.json`);
    files.set('FILES_PROCESSED', '\u001f\u008b');
    storeOriginal(app, files);
    app.published.store(`${PREFIX}FILES_PROCESSED`, gzipSync('x'.repeat(99)).subarray(0, 15));
    await refused(adoptNow(app), /nightly\/29[^]*FILES_PROCESSED[^]*nightly\/28[^]*nightly\/30[^]*--leave-out/);
  });

  it('goes without an entry that it is told to leave out', async () => {
    const app = application();
    const files = workedExample();
    files.delete(`${BOOL_FOLDER}/filter-tree.json`);
    storeOriginal(app, files);
    await adoptNow(app, { leaveOut: [NIGHTLY] });
    assert.deepEqual([...versionsOf(app).folders.keys()], ['aurora/27']);
    assertWhole(app);
  });

  it('a broken measure is quarantined and costs no other one', async () => {
    const app = application();
    const files = workedExample();
    files.set(`${BOOL_FOLDER}/X-by-build-date.json`, '{');
    files.set(`${BOOL_FOLDER}/X-by-submission-date.json`, '{}');
    files.set(`${BOOL_FOLDER}/notes.txt`, 'hello');
    // An index is no foreign file: another deployment of this project wrote it.
    files.set(`${BOOL_FOLDER}/_measures.json`, '{}');
    storeOriginal(app, files);
    const { channelVersions } = await adoptNow(app);
    const faults = channelVersions.flatMap(({ faults: each }) => each);
    assert.deepEqual(faults.map(({ reason, what }) => `${reason} ${what}`).sort(), [
      'bad_json X',
      'foreign_file notes.txt',
      'no_revision X',
      'no_rows NONE',
      'no_rows X',
    ]);
    const quarantined = app.analysis.keys('state/quarantine/').map((key) => app.analysis.json(key)['reason']);
    assert.deepEqual(quarantined.sort(), ['bad_json', 'no_rows', 'no_rows']);
    assertWhole(app);
  });

  it('an empty map becomes an empty data set', async () => {
    const app = application();
    storeOriginal(app, new Map([['versions.json', '{}']]));
    await adoptNow(app);
    await publishDay(app, rowResult([1, 1, 0, 1, -1, -1, 1, 0, 2], '20131029', '20131029030201'));
    assert.equal(versionsOf(app).head.seq, 1);
  });

  it('a data set of ours is refused, empty or not', async () => {
    const app = application();
    await refused(adoptNow(app), /empty data set of this application.*--from/);
    await publishDay(app, rowResult([1, 1, 0, 1, -1, -1, 1, 0, 2], '20131029', '20131029030201'));
    await refused(adoptNow(app), /has data in it \(commit 1\)/);
  });
});

describe('a dry run', () => {
  it('reads everything and writes nothing', async () => {
    const app = application();
    storeOriginal(app, workedExample());
    app.trace.clear();
    const { outcome, seq, channelVersions } = await adoptNow(app, { dryRun: true });
    assert.deepEqual([outcome, seq, channelVersions.length], ['planned', null, 2]);
    const writes = app.trace.calls.filter(({ method }) => ['put', 'createOnce', 'replace', 'delete'].includes(method));
    assert.deepEqual(writes, []);
  });
});

describe('an original that lies elsewhere', () => {
  const storeElsewhere = (app: Application, files = workedExample()): void => {
    for (const [name, text] of files)
      app.published.store(FOREIGN + name, name.includes('BOOL') ? text : gzipSync(text));
  };

  it('is copied into an empty data set, compressed, as its first commit', async () => {
    const app = application();
    storeElsewhere(app);
    const original = spaceInBucket(app.published, FOREIGN);
    const { outcome, seq } = await adoptNow(app, { original, copy: true });
    assert.deepEqual([outcome, seq], ['adopted', 1]);
    assertWhole(app);
    const key = `${PREFIX}${BOOL_FOLDER}/BOOL-by-build-date.json`;
    const { body, headers } = app.published.contents.get(key)!;
    assert.equal(gunzipSync(body).toString(), workedExample().get(`${BOOL_FOLDER}/BOOL-by-build-date.json`));
    assert.deepEqual(headers, {
      contentType: 'application/json',
      contentEncoding: 'gzip',
      cacheControl: 'public, max-age=31536000, immutable',
    });
    await publishDay(app, rowResult([1, 1, 0, 1, -1, -1, 1, 0, 2], '20131029', '20131029030201'));
    assert.deepEqual(rowsOf(app)['20131029']?.[0], [4, 3, 0, 3, -1, -1, 3, 0, 7, 8]);
  });

  it('keeps the files for analysts of another deployment: the table as it is, so that ranges of it can be read', async () => {
    const app = application();
    storeElsewhere(app);
    const table = Buffer.from('PAR1, not looked into, PAR1');
    app.published.store(`${FOREIGN}${BOOL_FOLDER}/aggregates.parquet`, table);
    app.published.store(`${FOREIGN}${BOOL_FOLDER}/builds.json`, '{}');
    const { channelVersions } = await adoptNow(app, { original: spaceInBucket(app.published, FOREIGN), copy: true });
    assert.ok(!channelVersions.some(({ faults }) => faults.some(({ reason }) => reason === 'foreign_file')));
    assertWhole(app);
    const { body, headers } = app.published.contents.get(`${PREFIX}${BOOL_FOLDER}/aggregates.parquet`)!;
    assert.deepEqual([body, headers.contentEncoding], [table, undefined]);
    assert.equal(app.published.text(`${PREFIX}${BOOL_FOLDER}/builds.json`), '{}');
  });

  it('goes on with a copy that was interrupted, and refuses to write over other content', async () => {
    const app = application();
    storeElsewhere(app);
    const original = spaceInBucket(app.published, FOREIGN);
    app.trace.fail({ method: 'createOnce', key: /BOOL-by-build/, when: 'after' });
    await assert.rejects(adoptNow(app, { original, copy: true }), /injected/);
    const key = `${PREFIX}${BOOL_FOLDER}/BOOL-by-submission-date.json`;
    const good = app.published.contents.get(key);
    app.published.store(key, 'other');
    await refused(adoptNow(app, { original, copy: true }), /there already, with other content/);
    if (good === undefined) app.published.contents.delete(key);
    else app.published.contents.set(key, good);
    assert.equal((await adoptNow(app, { original, copy: true })).outcome, 'adopted');
    assertWhole(app);
  });

  it('may be a folder of this machine', async () => {
    const app = application();
    const root = await mkdtemp(join(tmpdir(), 'original-'));
    try {
      for (const [name, text] of workedExample()) {
        await mkdir(dirname(join(root, name)), { recursive: true });
        await writeFile(join(root, name), text);
      }
      await adoptNow(app, { original: spaceInFolder(root), copy: true });
      assertWhole(app);
      assert.equal(app.published.text(`${PREFIX}FILES_MISSING`), 'm\n');
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });

  it('needs a target of ours, and a source that is not', async () => {
    const app = application();
    const original = spaceInBucket(app.published, FOREIGN);
    await refused(adoptNow(app, { original, copy: true }), /elsewhere\/versions\.json does not exist/);
    app.published.store(`${FOREIGN}versions.json`, serialiseVersions(versionsOf(app)));
    await refused(
      adoptNow(app, { original, copy: true }),
      /is a data set of this application, not one of the original/,
    );
    storeOriginal(app, workedExample());
    await refused(adoptNow(app, { original, copy: true }), /without --from/);
    app.published.contents.delete(VERSIONS);
    await refused(adoptNow(app, { original, copy: true }), /telemetry setup/);
  });
});
