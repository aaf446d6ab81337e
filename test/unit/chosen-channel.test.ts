import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOfChannel, unknownChannel } from '../../src/export/chosen-channel.ts';

const THERE = ['aurora/26', 'aurora/27', 'beta/26', 'nightly/28'];

describe('a channel, or a channel/version, as people name it', () => {
  for (const [given, chosen] of [
    [undefined, THERE],
    ['aurora', ['aurora/26', 'aurora/27']],
    ['beta/26', ['beta/26']],
    ['aur', []],
    ['aurora/', []],
  ] as const)
    it(`${given} names ${chosen.length} of the data set`, () => {
      const found = THERE.filter((each) => isOfChannel(given, each));
      assert.deepEqual(found, chosen);
      assert.equal(unknownChannel(given, THERE) === undefined, found.length > 0);
    });

  for (const [given, there, sentence] of [
    ['nigthly', THERE, 'The data set has no nigthly; it has nightly, beta, aurora.'],
    ['Aurora/27', THERE, 'The data set has no Aurora/27; it has aurora/27, aurora/26, '],
    ['beta/27', THERE, 'The data set has no beta/27; it has beta/26, '],
    ['beta', [], 'The data set has no beta; it has nothing yet.'],
    ['b\u001b[2J', ['beta/26'], 'The data set has no b'],
  ] as const)
    it(`${JSON.stringify(given)}, which is not there, is told with the nearest first`, () => {
      const said = unknownChannel(given, there) ?? '';
      assert.ok(said.startsWith(sentence), said);
      assert.ok(!said.includes('\u001b'));
    });

  it('of many names the ten nearest', () => {
    const many = Array.from({ length: 500 }, (_, index) => `c/${index}`);
    assert.match(
      unknownChannel('c/9999', many) ?? '',
      /^The data set has no c\/9999; it has c\/199, c\/299, .*, and 490 more\.$/,
    );
  });
});
