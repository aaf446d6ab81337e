/** What the aggregator accepts, the merge accepts, the segments hold and the renderer publishes: nothing that is sent in can make a later stage fail. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_BUCKETS } from '../../src/histograms/buckets.ts';
import { parsePartLine, partLine, type PartSlot } from '../../src/pipeline/aggregates/part-line.ts';
import { resultLines } from '../../src/pipeline/aggregates/result-lines.ts';
import { ResultReader } from '../fakes/result-reader.ts';
import { SlotTable } from '../fakes/slot-table.ts';
import { SlowSums } from '../fakes/slow-sums.ts';
import { nextFolderName } from '../../src/pipeline/dataset/folder-name.ts';
import { renderSnapshot } from '../../src/pipeline/dataset/snapshot.ts';
import { defineFrom } from '../../src/pipeline/dataset/measure-definition.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { DEFAULT_RULES, SubmissionAggregator } from '../../src/pipeline/submissions/aggregator.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { anyCharacter } from '../fakes/any-character.ts';
import { cases } from '../fakes/cases.ts';

/** Of a line of a part (`src/threads/part-file.ts`), of a name in a file system, and of a key of S3. */
const [MAX_PART_LINE, MAX_NAME, MAX_KEY] = [1 << 20, 255, 1024];

const long = fc.constantFrom(63, 64, 65, 100, 101, 128, 129, 231, 232, 255, 256, 1023, 1025, 70_000);
const nasty = fc.constantFrom(
  ...['', '.', '..', '_id', 'name', '__proto__', 'constructor', 'toString', 'a/b', 'a\tb', 'a\nb', '\u0000', '"', '\\'],
  ...['\ud800', '🦊', 'é', '\u2028', '\u001b[31m', '-1', '0', 'null', 'A B', 'SIMPLE_MEASURES_X', 'STARTUP_X'],
);
const text = fc.oneof(
  { arbitrary: fc.constantFrom('WINNT', 'Linux', '6.1', '3.11.0', 'x86'), weight: 3 },
  nasty,
  fc.string({ unit: anyCharacter, maxLength: 80 }),
  fc.tuple(fc.constantFrom('x', '🦊', '\u0001', 'é', '/'), long).map(([of, length]) => of.repeat(length)),
);
const name = fc.oneof(
  { arbitrary: fc.constantFrom('GC_MS', 'X', 'Y'), weight: 3 },
  nasty,
  fc.tuple(fc.constantFrom('x', '.', '-'), long).map(([of, length]) => of.repeat(length)),
);
const number = fc.oneof(
  { arbitrary: fc.nat(9), weight: 6 },
  fc.constantFrom(
    -1,
    -0,
    0.5,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53 - 1,
    2 ** 53 + 2,
    1e15,
    1.7e308,
    -1.7e308,
    5e-324,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const numbers = fc.oneof(
  { arbitrary: fc.array(number, { maxLength: 14 }), weight: 6 },
  { arbitrary: fc.array(fc.nat(9), { minLength: 8, maxLength: 14 }), weight: 6 },
  fc
    .tuple(fc.constantFrom(999, 1000, 1005, 1006), fc.nat(2 ** 32 - 1))
    .map(([length, of]) => new Array<number>(length).fill(of)),
);
const odd = fc.oneof(number, text, fc.constantFrom<unknown>(null, true, [], {}, [[]], { a: { b: 1 } }));
const member = <T>(of: fc.Arbitrary<T>) => fc.oneof({ arbitrary: of, weight: 9 }, odd);
const dictionary = <T>(of: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(name, member(of)), { maxLength: 4 }).map((entries) => Object.fromEntries(entries));
const submission = fc.record(
  {
    ver: fc.constantFrom<unknown>(2, 5, undefined),
    info: member(
      fc.record({
        OS: member(text),
        version: member(fc.oneof(text, number)),
        arch: member(text),
        revision: member(text),
      }),
    ),
    histograms: member(dictionary(numbers)),
    simpleMeasurements: member(dictionary(fc.oneof(number, dictionary(number)))),
  },
  { requiredKeys: ['info'] },
);
const keyPart = fc.oneof(
  { arbitrary: fc.constantFrom('saved_session', 'Firefox', 'nightly', 'OTHER'), weight: 6 },
  fc.constantFrom('.', '..', '_id', 'name', '__proto__', 'a.b'),
  long.map((length) => 'k'.repeat(length)),
);
const version = fc.oneof(
  { arbitrary: fc.constantFrom('28.0a1', '27', '1.'), weight: 6 },
  long.map((n) => '9'.repeat(n)),
  keyPart,
);
const key = fc
  .tuple(
    keyPart,
    keyPart,
    keyPart,
    version,
    fc.constantFrom('20131029030201', '20131029', '20991231000000', '20130101'),
  )
  .map((parts) => `${parts.join('/')}.20131029.v2.log.0ab8723b.lzma`);

/** The rows of one file's submissions as the worker would write them; undefined when its key is refused. */
function aggregated(fileKey: string, submissions: readonly unknown[]): SlotTable | undefined {
  const sums = new SlowSums();
  const aggregator = new SubmissionAggregator(sums, DEFAULT_RULES);
  try {
    aggregator.openFile(fileKey);
  } catch (error) {
    assert.ok(error instanceof InvalidDataError && error.reason === 'bad_key');
    return undefined;
  }
  for (const one of submissions) {
    const line = Buffer.from(`id\t${JSON.stringify(one)}`);
    aggregator.addLine(line, 0, line.length);
  }
  return sums.table();
}

function merged(lines: Iterable<string>): PartSlot[] {
  const parser = new ResultReader();
  const table = new SlotTable();
  for (const line of lines) {
    const bytes = Buffer.from(line);
    parser.parseLine(bytes, 0, bytes.length);
  }
  parser.commit(table);
  assert.deepEqual(parser.dropped, {});
  return [...table.sorted()];
}

/** Through the lines of a part: what a chunk, a segment and a base hold. */
function stored({ channelVersion, slot }: PartSlot): PartSlot {
  const line = partLine(channelVersion, slot);
  assert.ok(Buffer.byteLength(line) < MAX_PART_LINE / 3);
  const read = parsePartLine(line);
  assert.deepEqual({ ...read.slot, values: [...read.slot.values] }, { ...slot, values: [...slot.values] });
  return read;
}

function assertFits(channelVersion: string, fileName: string): void {
  const folder = nextFolderName(channelVersion, new Date('2013-10-30T12:00:00Z'));
  const segment = stateKeys.segment(channelVersion, '20131029', 'f'.repeat(64));
  for (const part of [folder, fileName, ...segment.split('/')]) assert.ok(Buffer.byteLength(part) <= MAX_NAME, part);
  for (const whole of [`${'p'.repeat(100)}/${folder}/${fileName}`, segment])
    assert.ok(Buffer.byteLength(whole) <= MAX_KEY);
}

async function rendered(slots: readonly PartSlot[]): Promise<number> {
  const define = defineFrom({ histograms: async () => undefined }, undefined);
  const files = renderSnapshot({ slots: [slots.map(({ slot }) => slot)], previous: undefined, define });
  for (let step = await files.next(); ; step = await files.next()) {
    if (step.done === true) {
      assert.deepEqual(step.value.summary.dropped, {
        bad_measure_name: 0,
        bad_filter_path: 0,
        bad_date: 0,
        bad_row_length: 0,
      });
      assert.equal(step.value.summary.clamped, 0);
      return step.value.summary.rows;
    }
    JSON.parse(String(step.value.json));
    assertFits(slots[0]?.channelVersion ?? '', step.value.name);
  }
}

describe('what one stage accepts', () => {
  it('all later stages accept, whatever is sent in', async () => {
    let [accepted, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(key, fc.array(submission, { minLength: 10, maxLength: 10 }), async (fileKey, submissions) => {
        const table = aggregated(fileKey, submissions);
        if (table === undefined) {
          refused += 1;
          return;
        }
        const before = [...table.sorted()];
        const after = merged(resultLines(before)).map(stored);
        assert.deepEqual(after.map(stored), before.map(stored));
        if (after.length > 0) await rendered(after);
        accepted += after.length;
      }),
      // Ten submissions each: 20,000 in the full set.
      { numRuns: cases(2500) },
    );
    assert.ok(accepted > 100 && refused > 10, `${accepted} rows, ${refused} keys refused`);
  });

  it('a row with everything at its highest is accepted by all stages', async () => {
    const histogram = [
      ...new Array<number>(MAX_BUCKETS).fill(2 ** 32 - 1),
      ...new Array<number>(5).fill(-(2 ** 53 - 1)),
    ];
    const info = {
      OS: '\u{1f98a}'.repeat(64),
      version: '\u{1f98a}'.repeat(64),
      arch: '\u{1f98a}'.repeat(64),
      revision: '\u0001'.repeat(255),
    };
    const parts = ['r'.repeat(64), 'a'.repeat(64), 'c'.repeat(100), '9'.repeat(100)];
    const table = aggregated(`${parts.join('/')}/20131029030201.20131029.v2.log.0ab8723b.lzma`, [
      { info, histograms: { ['M'.repeat(128)]: histogram }, simpleMeasurements: { ['s'.repeat(112)]: 2 ** 53 - 1 } },
    ]);
    assert.ok(table !== undefined);
    const slots = merged(resultLines(table.sorted())).map(stored);
    assert.equal(slots.length, 4);
    assert.equal(await rendered(slots), 4);
  });
});
