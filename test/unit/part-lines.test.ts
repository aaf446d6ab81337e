/** Lines of parts from bytes: what JSON says, whatever the line before was. */
import { deepEqual, ok, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type PartSlot, parsePartLine, partLine } from '../../src/pipeline/aggregates/part-line.ts';
import { PartLines } from '../../src/pipeline/aggregates/part-lines.ts';
import type { ByDate } from '../../src/pipeline/aggregates/slot.ts';
import { TextValues } from '../../src/pipeline/aggregates/text-values.ts';

/** Reads the lines as they stand in a block, one behind the other. */
function read(lines: readonly string[], reader = new PartLines()): PartSlot[] {
  const block = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  let at = 0;
  return lines.map((line) => {
    const start = at;
    at += Buffer.byteLength(line) + 1;
    return reader.read(block, start, at - 1);
  });
}

const plain = ({ channelVersion, slot }: PartSlot) => ({
  channelVersion,
  slot: { ...slot, values: [...slot.values] },
});

function same(lines: readonly string[]): void {
  deepEqual(
    read(lines).map(plain),
    lines.map((line) => plain(parsePartLine(line))),
  );
}

const HEAD = '["nightly/28","M","by-build-date","r/a/o/v/x","20131029","20131029030201"';

describe('lines of a part', () => {
  it('have the values as the bytes that they are', () => {
    const [first] = read([`${HEAD},"http://x",[0,1,2]]`]);
    ok(first?.slot.values instanceof TextValues);
    deepEqual(plain(first).slot.values, [0, 1, 2]);
  });

  it('are what JSON says, in any order', () => {
    const text = fc.oneof(
      fc.constantFrom(
        '',
        'r/a/o/v/x',
        'r/a/o/v/y',
        '20131029',
        '20131030',
        'a"b',
        'ä',
        '\u0000',
        '[',
        '],[1,2]]',
        '\\',
      ),
      fc.string({ maxLength: 6 }),
    );
    const numbers = fc.array(fc.oneof(fc.constantFrom(0, 0, 0, -1, 0.25, 1e300), fc.integer()), { maxLength: 9 });
    const slots = fc.record({
      measure: fc.constantFrom('A', 'B', 'AB'),
      byDate: fc.constantFrom<ByDate>('by-build-date', 'by-submission-date'),
      path: text,
      date: fc.constantFrom('20131029', '20131030', '2013'),
      buildId: fc.constantFrom('0', '20131029030201', '20131029030202', ''),
      revision: text,
      values: numbers,
    });
    fc.assert(
      fc.property(fc.array(slots, { maxLength: 12 }), (some) => {
        same(some.map((slot) => partLine('nightly/28', slot)));
      }),
      { numRuns: 1000 },
    );
  });

  it('that are spelt in another way are read as JSON', () => {
    same([`${HEAD},"",[ 1,2]]`, `${HEAD},"",[1e2]]`, `${HEAD},"\\u0041",[1]]`, `${HEAD} ,"",[1]]`, `${HEAD},"",[]]`]);
  });

  const bad = [
    '',
    ']]',
    '[1]]',
    `${HEAD}]]`,
    `${HEAD},"",[01]]`,
    `${HEAD},"",[1,]]`,
    `${HEAD},"",7,[1]]`,
    `${HEAD},"[1]]`,
  ];
  for (const line of bad) {
    it(`refuses ${JSON.stringify(line.slice(-12))}, also before a good line`, () => {
      throws(() => read([`${HEAD},"",[1]]`, line, `${HEAD},"",[1]]`]), { reason: 'bad_part' });
    });
  }
});
