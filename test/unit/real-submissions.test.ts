/** The real submissions of 2013, and what the original made of them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { atScale } from '../fakes/at-scale.ts';
import { aggregate, allSlots, asResult, keyOf, merge, parsed, store } from '../fakes/file-jobs.ts';

const data = new URL('../../../shared/data/', import.meta.url);
const skip = existsSync(data) ? false : `${data.pathname} is not there`;
const REAL = new URL('real/ss-ff-n-28.lzma', data).pathname;
const GOLDEN = new URL('golden/ff28.result.txt', data).pathname;

/** The original prints at most 9 decimals, and 7 digits above 2^31. */
function sameNumber(ours: number, theirs: number): boolean {
  const difference = Math.abs(ours - theirs);
  return Math.abs(theirs) >= 2 ** 31
    ? difference <= 1e-6 * Math.abs(theirs)
    : difference <= 1e-9 * Math.max(1, Math.abs(theirs));
}

function assertSameResult(ours: string, theirs: string, factor = 1): void {
  const [left, right] = [parsed(ours), parsed(theirs)];
  assert.deepEqual([...left.keys()].toSorted(), [...right.keys()].toSorted());
  for (const [key, aggregates] of right) {
    assert.deepEqual([...left.get(key)!.keys()].toSorted(), [...aggregates.keys()].toSorted(), key);
    for (const [path, { values, buildId, revision }] of aggregates) {
      const mine = left.get(key)!.get(path)!;
      assert.deepEqual([mine.buildId, mine.revision, mine.values.length], [buildId, revision, values.length], key);
      const simple = key.includes('/SIMPLE_MEASURES_');
      for (const [index, value] of values.entries()) {
        const missing = value === -1 && index >= values.length - 6 && !(simple && index === values.length - 6);
        const expected = missing ? -1 : value * factor;
        assert.ok(
          sameNumber(mine.values[index]!, expected),
          `${key} ${path} [${index}]: ${mine.values[index]} ${expected}`,
        );
      }
    }
  }
}

describe('real submissions', { skip }, () => {
  it('give the result that the original gave', async () => {
    const { report, text } = await aggregate([{ key: keyOf('nightly'), path: REAL }]);
    assert.deepEqual([report.records, report.lines, report.filesFailed, report.filesPartial], [4, 904, [], []]);
    assert.deepEqual(report.skipped, {});
    assertSameResult(text, readFileSync(GOLDEN, 'utf8'));
    const paint = parsed(text).get('nightly/28/SIMPLE_MEASURES_FIRSTPAINT/by-build-date')!;
    const { values } = paint.get('20131029/saved_session/Firefox/WINNT/6.0/x86-64')!;
    assert.deepEqual([values[37], values[39], values.at(-6), values.at(-1)], [1, 1, 7355, 2]);
    assert.ok(sameNumber(values.at(-5)!, 16.378465620448573) && sameNumber(values.at(-4)!, 134.21176934972277));
  });

  it('give nothing when cut off in their first line, beside others that count', async () => {
    const corrupted = { key: keyOf('aurora'), path: new URL('real/corrupted.lzma', data).pathname };
    const alone = await aggregate([corrupted]);
    assert.deepEqual([alone.report.records, alone.report.lines, alone.text], [0, 0, '']);
    assert.deepEqual(alone.report.skipped, { truncated_file: 1 });
    assert.deepEqual(
      [alone.report.filesPartial, alone.report.filesFailed],
      [[], [{ key: corrupted.key, reason: 'truncated_file' }]],
    );
    const good = { key: keyOf('nightly'), path: REAL };
    const beside = await aggregate([
      corrupted,
      good,
      { ...corrupted, key: `${corrupted.key.slice(0, -5)}-2.lzma` },
      good,
    ]);
    assert.deepEqual([beside.report.records, beside.report.skipped], [8, { truncated_file: 2 }]);
    assertSameResult(beside.text, readFileSync(GOLDEN, 'utf8'), 2);
  });

  it('double when their result is merged with itself', async () => {
    const merged = await merge([GOLDEN, GOLDEN]);
    assert.deepEqual(
      [merged.rejected, merged.dropped, merged.parts.map(({ channelVersion }) => channelVersion)],
      [[], {}, ['nightly/28']],
    );
    assertSameResult(await asResult(merged), readFileSync(GOLDEN, 'utf8'), 2);
  });

  it('give the same as part and as result', async () => {
    const once = await merge([GOLDEN]);
    const again = await merge([store('result.txt', await asResult(once))]);
    assert.deepEqual(
      again.parts.map(({ sha256 }) => sha256),
      once.parts.map(({ sha256 }) => sha256),
    );
  });

  it('give the same parts when the table does not fit in memory', async () => {
    const files = Array.from({ length: atScale ? 5 : 2 }, () => GOLDEN);
    const [whole, spilled] = [await allSlots(await merge(files)), await allSlots(await merge(files, 1000))];
    assert.equal(spilled.length, whole.length);
    for (const [index, { channelVersion, slot }] of whole.entries()) {
      const other = spilled[index]!;
      assert.deepEqual(
        { ...other, slot: { ...other.slot, values: 0 } },
        { channelVersion, slot: { ...slot, values: 0 } },
      );
      const isLog = (at: number): boolean => [4, 5].includes(slot.values.length - at);
      const others = [...other.slot.values];
      for (const [at, value] of [...slot.values].entries())
        assert.ok(isLog(at) ? sameNumber(others[at]!, value) : others[at] === value);
    }
  });
});
