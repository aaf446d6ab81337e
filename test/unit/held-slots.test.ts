/**
 * Slots of a part that are held until a measure is whole keep their numbers: many blocks are read by then, and every block ends
 * in the middle of a line.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { PartSlot } from '../../src/pipeline/aggregates/part-line.ts';
import { mergeDayParts, mergePartFiles } from '../../src/threads/merge-parts.ts';
import { readPart, writePart } from '../../src/threads/part-file.ts';
import { renderSnapshotFiles } from '../../src/threads/render-snapshot.ts';

const SLOTS = 3000;
const BUCKETS = 100;
const BLOCKS = 4;
const BLOCK_BYTES = 256 << 10;

const work = mkdtempSync(join(tmpdir(), 'held-slots-'));
after(() => {
  rmSync(work, { recursive: true });
});

/** All of one measure, each with numbers of its own of the same width: a wrong one is still a row. */
function partOf(seed: number): PartSlot[] {
  return Array.from({ length: SLOTS }, (_, number) => ({
    channelVersion: 'nightly/28',
    slot: {
      measure: 'GC_MS',
      byDate: 'by-build-date',
      path: `saved_session/Firefox/OS${String(number).padStart(6, '0')}/6.1/x86`,
      date: '20131029',
      buildId: '20131029030201',
      revision: 'r',
      values: [
        ...Array.from({ length: BUCKETS }, (_, bucket) => 10_000 + ((number * 97 + bucket * 31 + seed) % 80_000)),
        ...[1, -1, -1, 1, 0, 1],
      ],
    },
  }));
}

const [first, second] = [partOf(1), partOf(5)];
const [a, b] = [join(work, 'a'), join(work, 'b')];

before(async () => {
  const { bytes } = await writePart(a, first);
  assert.ok(bytes > BLOCKS * BLOCK_BYTES);
  await writePart(b, second);
});

async function valuesOf(path: string): Promise<string[]> {
  const held = await Array.fromAsync(readPart(path));
  return held.map(({ slot }) => [...slot.values].join());
}

const texts = (slots: readonly PartSlot[]): string[] => slots.map(({ slot }) => [...slot.values].join());
const buckets = (rows: readonly string[]): string[] => rows.map((row) => row.split(',').slice(0, BUCKETS).join());
const sums = first.map(({ slot }, number) =>
  Array.from(
    { length: BUCKETS },
    (_, bucket) => ([...slot.values][bucket] ?? 0) + ([...(second[number]?.slot.values ?? [])][bucket] ?? 0),
  ).join(),
);

describe('slots that are held', () => {
  it('are as they were written', async () => {
    assert.deepEqual(await valuesOf(a), texts(first));
  });

  it('are summed as they were written, in the base of a channel/version and in the segment of a day', async () => {
    const output = join(work, 'merged');
    await mergePartFiles({ parts: [a], output });
    assert.deepEqual(await valuesOf(output), texts(first));
    await mergePartFiles({ parts: [a, b], output });
    assert.deepEqual(buckets(await valuesOf(output)), sums);
    await mergeDayParts({ parts: [a, b], output });
    assert.deepEqual(buckets(await valuesOf(output)), sums);
  });

  it('are published as they were written', async () => {
    const output = join(work, 'rendered');
    const { files } = await renderSnapshotFiles({ parts: [a], previous: null, definitions: null, output });
    const { path, start, bytes } = files.find(({ name }) => name === 'GC_MS-by-build-date.json') ?? assert.fail();
    const text = gunzipSync(readFileSync(path).subarray(start, start + bytes)).toString();
    const rows = (JSON.parse(text) as Record<string, number[][]>)['20131029'] ?? [];
    assert.deepEqual(
      rows.map((row) => row.slice(0, -1).join()),
      texts(first),
    );
  });
});
