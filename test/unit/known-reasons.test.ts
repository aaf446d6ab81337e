/** Every reason that the code counts under is known; what is not known would be counted as `other`. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KNOWN_REASONS, knownReason } from '../../src/pipeline/known-reasons.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const COUNTING = ['pipeline/submissions', 'pipeline/aggregates', 'pipeline/done-queue', 'analysis-worker'];
const ONE_BY_ONE = [
  'pipeline/json-bytes.ts',
  'threads/aggregate-submissions.ts',
  'threads/merge-results.ts',
  'threads/decode.ts',
  'activities/merge.ts',
  'activities/build.ts',
];
/** Reasons are words with underscores; no other texts of these files are. */
const WORDS = /'([a-z]+(?:_[a-z0-9]+)+)'/g;
/** What refuses a whole message or document, and names of metrics. */
const NOT_COUNTED =
  /^(?:telemetry_\w+|bad_(?:message|prefix|file_key|receipt|chunk|part)|no_files|unsorted_slots|damaged_plan)$/;

function sources(): string[] {
  const folders = COUNTING.flatMap((folder) =>
    readdirSync(`${SRC}${folder}`)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  );
  return [...folders, ...ONE_BY_ONE];
}

describe('reasons', () => {
  it('that the code counts under are all known', () => {
    const used = sources().flatMap((file) =>
      [...readFileSync(`${SRC}${file}`, 'utf8').matchAll(WORDS)].map(([, reason = '']) => ({ file, reason })),
    );
    assert.ok(used.length > 15, 'the pattern finds them');
    assert.deepEqual(
      used.filter(({ reason }) => !NOT_COUNTED.test(reason) && !KNOWN_REASONS.includes(reason)),
      [],
      'add them to src/pipeline/known-reasons.ts',
    );
  });

  it('that a worker invents, or takes from every object, are `other`', () => {
    for (const reason of ['', '__proto__', 'constructor', 'NO_TAB', 'no_tab ', 'x'.repeat(1000)])
      assert.equal(knownReason(reason), 'other', reason);
    assert.equal(knownReason('no_tab'), 'no_tab');
  });

  it('are short', () => {
    for (const reason of KNOWN_REASONS) assert.match(reason, /^[a-z0-9_]{3,30}$/);
    assert.ok(JSON.stringify(Object.fromEntries(KNOWN_REASONS.map((reason) => [reason, 2 ** 32]))).length < 3000);
  });
});
