import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { isChannelVersion } from '../../src/pipeline/dataset/folder-name.ts';
import { isSafeSegment } from '../../src/pipeline/safe-segment.ts';

describe('T4: a name that becomes part of a key', () => {
  for (const good of ['GC_MS', 'nightly', '28.0a1', 'a', '...', '_id', '__proto__', '-', 'x'.repeat(255)]) {
    it(`may be ${good.slice(0, 20)}`, () => {
      assert.ok(isSafeSegment(good));
    });
  }

  const bad = [
    ...['', '.', '..', '../..', '../../versions.json', 'a/b', 'a\\b', '/etc/passwd', 'a b', 'a\n', '\0', 'a\0b'],
    ...['%2e%2e', '<script>', 'ü', '\u202egnp', '\uff0e\uff0e', 'ａ', 'a:b', '~', '*', 'x'.repeat(256)],
  ];
  for (const text of bad) {
    it(`may not be ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.ok(!isSafeSegment(text));
    });
  }

  it('stays where it is put', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 8 }), (text) => {
        if (isSafeSegment(text)) assert.equal(resolve('/work', text), `/work/${text}`);
      }),
    );
  });

  it('is the rule for channels and versions as well; a version has no dash', () => {
    for (const text of ['nightly/28', 'my-channel/28.0a1']) assert.ok(isChannelVersion(text), text);
    for (const text of [
      'nightly/2-8',
      '../28',
      'nightly/..',
      'a/b/c',
      'nightly',
      `${'x'.repeat(256)}/28`,
      'a\n/28',
      'a/28\n',
    ])
      assert.ok(!isChannelVersion(text), text);
  });
});
