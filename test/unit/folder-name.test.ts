import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isChannelVersion, nextFolderName, parseFolderName } from '../../src/pipeline/dataset/folder-name.ts';

const NOW = new Date('2014-06-09T20:16:22.999Z');

describe('nextFolderName', () => {
  it('is time, version, channel', () => {
    assert.equal(nextFolderName('nightly/31', NOW), '20140609201622-31-nightly');
    assert.equal(nextFolderName('nightly-ux/31.0a1', NOW), '20140609201622-31.0a1-nightly-ux');
  });

  const previous: [string, string, string][] = [
    ['an older folder', '20140609201621-31-nightly', '20140609201622-31-nightly'],
    ['one of the same second', '20140609201622-31-nightly', '20140609201623-31-nightly'],
    ['one of a clock that was ahead', '20141231235959-31-nightly', '20150101000000-31-nightly'],
  ];
  for (const [what, before, expected] of previous) {
    it(`is later than ${what}`, () => {
      assert.equal(nextFolderName('nightly/31', NOW, before), expected);
    });
  }

  it('grows with every publish, whatever the clock does', () => {
    const instants = fc.array(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }));
    fc.assert(
      fc.property(instants, (list) => {
        let last: string | undefined;
        for (const now of list) {
          const next = nextFolderName('nightly/28', now, last);
          assert.ok(last === undefined || next > last);
          assert.equal(parseFolderName(next)?.channelVersion, 'nightly/28');
          last = next;
        }
      }),
    );
  });

  it('refuses names that would mean another folder', () => {
    for (const name of ['nightly/28-x', 'nightly', 'a/b/c', '../28', 'nightly/..', 'a b/28', '/28', 'nightly/']) {
      assert.equal(isChannelVersion(name), false, name);
      assert.throws(() => nextFolderName(name, NOW), { reason: 'bad_channel_version' }, name);
    }
    assert.throws(() => nextFolderName('nightly/31', NOW, '20140609201621-31-aurora'), { reason: 'bad_folder_name' });
  });
});

describe('parseFolderName', () => {
  it('reads a name back', () => {
    assert.deepEqual(parseFolderName('20140609201622-31-nightly-ux'), {
      stamp: '20140609201622',
      channelVersion: 'nightly-ux/31',
    });
  });

  const foreign = [
    'manual-test',
    '2014060920162-31-nightly',
    '20141309201622-31-nightly',
    '20140609201622-31',
    '20140609201622--nightly',
    '20140609201622-31-night/ly',
    '20140609201622-31-nightly\n',
    '20140609201622-31-..',
  ];
  for (const name of foreign) {
    it(`leaves ${JSON.stringify(name)} alone`, () => {
      assert.equal(parseFolderName(name), undefined);
    });
  }
});
