import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emptyLedger, type Ledger } from '../../src/pipeline/dataset/ledger.ts';
import { parseLedger, serialiseLedger } from '../../src/pipeline/dataset/ledger-document.ts';
import { type Manifest, parseManifest, serialiseManifest } from '../../src/pipeline/dataset/manifest.ts';
import {
  firstVersions,
  nextVersions,
  parseVersions,
  serialiseVersions,
  type Versions,
} from '../../src/pipeline/dataset/versions.ts';

const SHA = 'ab'.repeat(32);
const NOW = new Date('2013-11-01T00:00:00Z');
const object = (key: string) => ({ key, sha: SHA, slots: 7 });

const ledger: Ledger = {
  seq: 1,
  commit: 'c1',
  parent: 'c0',
  entries: new Map([
    [
      '20131029',
      {
        runId: 'run',
        planAt: '2013-10-30T13:31:00.000Z',
        planned: 6,
        done: 3,
        failed: 2,
        missing: 1,
        files: { processed: 30, missing: 0 },
        fileLists: { processed: 'state/p', missing: null },
      },
    ],
  ]),
  channelVersions: new Map([
    [
      'nightly/28',
      {
        folder: '20131101000000-28-nightly',
        base: {
          ...object('base'),
          days: ['20131026', '20131027'],
          kept: [{ day: '20131027', ...object('kept') }],
          beneath: { ...object('beneath'), days: ['20131026'] },
        },
        segments: [{ day: '20131029', ...object('segment') }],
        definitionsPending: ['GC_MS'],
      },
    ],
  ]),
};

const manifest: Manifest = {
  channelVersion: 'nightly/28',
  segments: ['base', 'segment'],
  files: [{ name: 'filter-tree.json', bytes: 12, sha256: SHA }],
  measuresLeftOut: 3,
};

const versions: Versions = {
  head: { seq: 1, commit: 'c1', parent: 'c0', ledger: 'state/ledgers/x.json.gz', at: '2013-11-01T00:00:00.000Z' },
  folders: new Map([['nightly/28', '20131101000000-28-nightly']]),
};

interface Document {
  readonly reason: string;
  readonly parse: (json: string) => unknown;
  readonly value: unknown;
  readonly json: string;
  /** Replacements in the text that must be noticed. */
  readonly damages: readonly (readonly [from: string | RegExp, to: string])[];
}

const documents: Record<string, Document> = {
  'a ledger': {
    reason: 'bad_ledger',
    parse: parseLedger,
    value: ledger,
    json: serialiseLedger(ledger),
    damages: [
      ['"seq":1', '"seq":-1'],
      ['"planned":6', '"planned":7'],
      ['"20131029":', '"today":'],
      ['nightly/28', 'nightly/..'],
      ['-28-nightly', '-28-aurora'],
      [SHA, 'x'],
      ['{"day":"20131029"', '{"day":"20131027"'],
      ['"days":["20131026"]', '"days":["20131025"]'],
      ['"slots":7', '"slots":"7"'],
      [/"base":\{.*\},"segments":\[.*?\]/, '"base":null,"segments":[]'],
      ['"runId":"run",', ''],
      ['2013-10-30T', 'yesterday '],
    ],
  },
  'a manifest': {
    reason: 'bad_manifest',
    parse: parseManifest,
    value: manifest,
    json: serialiseManifest(manifest),
    damages: [
      [SHA, 'x'],
      ['filter-tree', '../filter-tree'],
      ['"bytes":12', '"bytes":1.5'],
      ['nightly/28', 'nightly'],
      ['"files":[', `"files":[{"name":"filter-tree.json","bytes":1,"sha256":"${SHA}"},`],
    ],
  },
  'versions.json': {
    reason: 'bad_versions',
    parse: parseVersions,
    value: versions,
    json: serialiseVersions(versions),
    damages: [
      ['$head', 'head'],
      ['"parent":"c0",', ''],
      ['"seq":1', '"seq":null'],
      ['nightly/28', 'nightly/29'],
      ['20131101000000-', ''],
      [/.*/, '{"nightly/28":"20131101000000-28-nightly"}'],
    ],
  },
};

for (const [what, { reason, parse, value, json, damages }] of Object.entries(documents)) {
  describe(what, () => {
    it('is read back as it was written', () => {
      assert.deepEqual(parse(json), value);
    });

    for (const text of ['', json.slice(0, -1), '[]', 'null', '{}', '<html></html>']) {
      it(`is damaged, not empty, when it is ${JSON.stringify(text.slice(-20))}`, () => {
        assert.throws(() => parse(text), { name: 'InvalidDataError', reason });
      });
    }

    for (const [from, to] of damages) {
      it(`is damaged with ${JSON.stringify(to)} for ${String(from)}`, () => {
        const damaged = json.replace(from, to);
        assert.notEqual(damaged, json);
        assert.throws(() => parse(damaged), { name: 'InvalidDataError', reason });
      });
    }
  });
}

describe('the text of stored documents', () => {
  it('does not depend on the order of insertion', () => {
    const folders = new Map([
      ['nightly/28', '20131101000000-28-nightly'],
      ['aurora/27', '20131101000000-27-aurora'],
    ]);
    assert.equal(
      serialiseVersions({ ...versions, folders }),
      '{"$head":{"seq":1,"commit":"c1","parent":"c0","ledger":"state/ledgers/x.json.gz","at":"2013-11-01T00:00:00.000Z"},' +
        '"aurora/27":"20131101000000-27-aurora","nightly/28":"20131101000000-28-nightly"}',
    );
    const files = [
      { name: 'b', bytes: 1, sha256: SHA },
      { name: 'a', bytes: 1, sha256: SHA },
    ];
    assert.equal(
      serialiseManifest({ ...manifest, segments: ['y', 'x'], files }),
      serialiseManifest({ ...manifest, segments: ['x', 'y'], files: files.toReversed() }),
    );
  });
});

describe('nextVersions', () => {
  const first = firstVersions(emptyLedger('c0'), 'state/ledgers/0', NOW);

  it('points to the folders of the ledger that follows', () => {
    assert.deepEqual(first.head, {
      seq: 0,
      commit: 'c0',
      parent: null,
      ledger: 'state/ledgers/0',
      at: NOW.toISOString(),
    });
    assert.deepEqual(nextVersions(first, ledger, 'state/ledgers/x.json.gz', NOW), versions);
  });

  it('refuses a ledger that was made from another commit', () => {
    assert.throws(() => nextVersions(first, { ...ledger, parent: 'c9' }, 'k', NOW), /follows commit c9/);
    assert.throws(() => nextVersions(first, { ...ledger, seq: 2 }, 'k', NOW), /follows commit/);
  });
});
