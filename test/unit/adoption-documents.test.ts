import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { isOurs, parseOriginalVersions } from '../../src/pipeline/dataset/adoption/original-versions.ts';
import { emptyLedger } from '../../src/pipeline/dataset/ledger.ts';
import { parseLedger, serialiseLedger } from '../../src/pipeline/dataset/ledger-document.ts';
import { adoptedEntryOf, adoptedLedger, adoptedName } from '../../src/pipeline/dataset/adoption/adopted-entry.ts';
import { adoptFileLists } from '../../src/threads/adopt-file-lists.ts';

let work: string;
let numbered = 0;
before(async () => {
  work = await mkdtemp(join(tmpdir(), 'adoption-'));
});
after(() => rm(work, { recursive: true, force: true }));

async function newFolder(): Promise<string> {
  const folder = join(work, String((numbered += 1)));
  await mkdir(folder);
  return folder;
}

describe('versions.json of the original', () => {
  it('gives the folders it names', () => {
    const { folders, problems } = parseOriginalVersions(
      '{"nightly/31":"20140609201622-31-nightly","beta-x/3.5":"20140609201623-3.5-beta-x"}',
    );
    assert.deepEqual(
      [...folders],
      [
        ['beta-x/3.5', '20140609201623-3.5-beta-x'],
        ['nightly/31', '20140609201622-31-nightly'],
      ],
    );
    assert.deepEqual(problems, []);
    assert.equal(isOurs('{"nightly/31":"20140609201622-31-nightly"}'), false);
    assert.equal(isOurs('{"$head":{}}'), true);
    assert.equal(isOurs('not JSON'), false);
  });

  const wrong: [string, RegExp][] = [
    ['{"nightly/31":"../../secret"}', /"\.\.\/\.\.\/secret" for nightly\/31/],
    ['{"nightly/31":"20140609201622-31-nightly/.."}', /which is no folder/],
    ['{"nightly/31":"20140609201622-30-nightly"}', /which is no folder/],
    ['{"nightly/31":"20149909201622-31-nightly"}', /which is no folder/],
    ['{"nightly/31":null}', /null for nightly\/31/],
    ['{"../31":"20140609201622-31-.."}', /"\.\.\/31", which is no channel/],
    ['{"nightly":"20140609201622-31-nightly"}', /no channel\/version/],
  ];
  for (const [json, message] of wrong) {
    it(`refuses ${json}`, () => {
      const { folders, problems } = parseOriginalVersions(json);
      assert.equal(folders.size, 0);
      assert.equal(problems.length, 1);
      assert.match(problems[0]!, message);
      const [name = ''] = Object.keys(JSON.parse(json) as object);
      assert.deepEqual(parseOriginalVersions(json, [name]).problems, []);
    });
  }

  it('refuses what is no map, and an entry to leave out that is not there', () => {
    for (const json of ['[]', 'null', '"x"', '{', ''])
      assert.throws(() => parseOriginalVersions(json), /versions\.json/);
    assert.match(parseOriginalVersions('{}', ['nightly/1']).problems[0] ?? '', /no entry "nightly\/1"/);
  });
});

describe('adopted file lists', () => {
  it('are sorted, without repeats, and every key is in one of them', async () => {
    const folder = await newFolder();
    const [processed, missing] = [join(folder, 'p'), join(folder, 'm')];
    await writeFile(processed, gzipSync(`c\nb\r\n\nc\na\tb\n${'x'.repeat(2000)}\né`));
    await writeFile(missing, 'z\nc\nz\na\n');
    const result = await adoptFileLists({ processed, missing, folder });
    assert.deepEqual([result.processed.keys, result.processed.badLines], [3, 2]);
    assert.equal(gunzipSync(await readFile(result.processed.path)).toString(), 'b\nc\né\n');
    assert.equal(gunzipSync(await readFile(result.missing.path)).toString(), 'a\nz\n');
  });

  it('may be absent, and are refused when they are broken', async () => {
    const folder = await newFolder();
    assert.equal((await adoptFileLists({ processed: null, missing: null, folder })).processed.keys, 0);
    const processed = join(folder, 'p');
    await writeFile(processed, gzipSync('x'.repeat(1000)).subarray(0, 15));
    await assert.rejects(adoptFileLists({ processed, missing: null, folder }), /does not decompress/);
  });
});

describe('the ledger of an adoption', () => {
  it('is read back as it was written, and knows its adopted entry', () => {
    const name = adoptedName(new Date('2014-06-09T20:16:22.900Z'));
    assert.equal(name, 'adopted-2014-06-09T20:16:22Z');
    const base = { key: 'state/x', sha: 'ab'.repeat(16), slots: 0 };
    const history = {
      name,
      files: { processed: 1, missing: 0 },
      fileLists: { processed: 'state/p', missing: null },
      channelVersions: new Map([['nightly/31', { folder: '20140609201622-31-nightly', base }]]),
    };
    const parent = emptyLedger('set-up');
    const ledger = adoptedLedger(parent, history, 'commit-1');
    assert.deepEqual(parseLedger(serialiseLedger(ledger)), ledger);
    assert.deepEqual([ledger.seq, ledger.parent], [1, 'set-up']);
    assert.deepEqual(
      [adoptedLedger(null, history, 'c').seq, adoptedEntryOf(ledger)?.[0], adoptedEntryOf(parent)],
      [0, name, undefined],
    );
  });
});
