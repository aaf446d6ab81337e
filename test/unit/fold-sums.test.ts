/** Packed sums in more files, and of more paths, than memory takes at once. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DEFAULT_RULES, SubmissionAggregator } from '../../src/pipeline/submissions/aggregator.ts';
import { foldSums } from '../../src/threads/fold-sums.ts';
import { keyRanges } from '../../src/threads/key-ranges.ts';
import { linesByKey } from '../../src/threads/result-index.ts';
import { sharedFile } from '../../src/threads/shared-file.ts';
import { type PackedSums, SpillingSums } from '../../src/threads/spilling-sums.ts';
import { KEY, submission } from '../fakes/counted-submissions.ts';

const work = mkdtempSync(join(tmpdir(), 'fold-sums-'));
after(() => {
  rmSync(work, { recursive: true });
});

const LIMITS = { maxLineBytes: 1 << 22, maxTableBytes: 48 << 20, maxHistogramLength: DEFAULT_RULES.maxHistogramLength };

/** The sums of such submissions, in one file. */
function packed(records: readonly string[]): PackedSums {
  const sums = new SpillingSums(mkdtempSync(join(work, 'f-')), '', LIMITS);
  const aggregator = new SubmissionAggregator(sums.kernel, DEFAULT_RULES);
  aggregator.openFile(KEY);
  for (const record of records) {
    const bytes = Buffer.from(record);
    const at = sums.kernel.hold(bytes, 0, bytes.length);
    aggregator.addLine(sums.kernel.bytes, at, at + bytes.length);
  }
  const [only] = sums.packed();
  assert.ok(only !== undefined);
  return only;
}

async function folded(sums: readonly PackedSums[]): Promise<string> {
  const folder = mkdtempSync(join(work, 'f-'));
  const lines = linesByKey(sums.map(({ index }) => index));
  const ranges = keyRanges(lines, 1);
  const output = sharedFile(join(folder, 'result.txt'), ranges.ranges.length);
  await foldSums({ lines, ranges, files: sums, limits: LIMITS, folder, output });
  return readFileSync(output.path, 'utf8');
}

const FLAG = [1, 0, 0, 2, 3, -1, 0, 0];
const flags = (names: readonly string[]): string =>
  submission({ histograms: Object.fromEntries(names.map((name) => [name, FLAG])) });

describe('sums are folded', () => {
  it('from any number of files', async () => {
    const [one, other] = [packed([flags(['A', 'B'])]), packed([flags(['B', 'C'])])];
    const files = Array.from({ length: 20_000 }, (_, index) => (index % 2 === 0 ? one : other));
    const text = await folded(files);
    assert.equal(text.match(/"values":\[10000,0,0,20000,30000,-1,0,0,10000\]/g)?.length, 4, text);
    assert.equal(text.match(/"values":\[20000,0,0,40000,60000,-1,0,0,20000\]/g)?.length, 2, text);
  });

  it('as if nothing had been before, when a fold failed in the middle', async () => {
    const good = packed([flags(['A', 'B'])]);
    const expected = await folded([good]);
    const short = packed([flags(['A', 'B', 'C'])]);
    truncateSync(short.path, short.index.offset[2]);
    await assert.rejects(folded([short]), /became shorter/);
    assert.equal(await folded([good]), expected);
  });
});
