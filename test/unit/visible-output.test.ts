/** T20: whatever came from outside is printed with control characters made visible, and on one line where one is meant. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { describeList, describeOne, describeRelease } from '../../src/commands/quarantine.ts';
import { describeDay } from '../../src/commands/run-day.ts';
import { print, say, showStatus, table } from '../../src/commands/terminal.ts';
import { findingLine } from '../../src/findings.ts';
import { visibleLine, visibleText } from '../../src/pipeline/plain-text.ts';

const HOSTILE = 'a\u001b[2J\u202egnp\u0085\u2028b\nFORGED: line\tc\rd';
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

const DAY = {
  ...{ day: '20131029', runId: 'r', planned: 1, done: 1, failed: 0, missing: 0, records: 1 },
  ...{ files: { processed: 1, missing: 0, partial: 0 }, skipped: {}, dropped: {}, failedTasks: {} },
  ...{ decision: 'published' as const, seq: 1, published: [HOSTILE], rendered: 1, versions: 's3://b/versions.json' },
  ...{ report: 's3://b/report.json', warnings: [HOSTILE, HOSTILE] },
} as const;

/** What a call writes to standard output and error. */
function written(context: TestContext, call: () => void): string {
  const texts: string[] = [];
  const mocks = [process.stdout, process.stderr].map((stream) =>
    context.mock.method(stream, 'write', (text: string) => texts.push(text) > 0),
  );
  call();
  for (const { mock } of mocks) mock.restore();
  return texts.join('');
}

describe('what commands print', () => {
  for (const [name, call] of [
    [
      'results',
      () => {
        print(HOSTILE);
      },
    ],
    [
      'remarks',
      () => {
        say(HOSTILE);
      },
    ],
    [
      'progress',
      () => {
        showStatus(HOSTILE);
      },
    ],
  ] as const) {
    it(`shows control characters in ${name}`, (context) => {
      const text = written(context, call);
      assert.doesNotMatch(text, CONTROL);
      assert.ok(text.includes('a\\u001b[2J\\u202egnp'));
    });
  }

  it('leaves a JSON document the same document', (context) => {
    const value = { [HOSTILE]: HOSTILE };
    const text = written(context, () => {
      print(JSON.stringify(value));
    });
    assert.doesNotMatch(text, CONTROL);
    assert.deepEqual(JSON.parse(text), value);
  });

  const entry = {
    sha: 'ab12'.repeat(16),
    since: '2013-10-30T00:00:00.000Z',
    what: HOSTILE,
    reason: HOSTILE,
    message: HOSTILE,
    content: HOSTILE,
    released: null,
    acknowledged: { reason: HOSTILE, by: HOSTILE, at: HOSTILE },
  };
  const encoded = Buffer.from(`{"id":"${HOSTILE}"}`).toString('base64');
  for (const [command, text, lines] of [
    ['quarantine list', () => describeList({ total: 1, listed: [entry] }), 3],
    ['quarantine show', () => describeOne(entry), 8],
    ['quarantine show of a message', () => describeOne({ ...entry, what: 'done_message', content: encoded }), 9],
    ['quarantine release', () => describeRelease({ ...entry, outcome: 'refused' }), 1],
    ['check', () => findingLine({ severity: 'error', where: HOSTILE, what: HOSTILE, action: HOSTILE }), 1],
    ['run-day', () => describeDay(DAY), 9],
    ['any table', () => table([[HOSTILE, HOSTILE]]), 1],
  ] as const) {
    it(`of ${command} is on the lines it is meant for`, () => {
      const shown = text();
      assert.equal(shown.split('\n').length, lines, shown);
      assert.doesNotMatch(shown, CONTROL);
      assert.ok(shown.includes('\\u001b[2J'));
    });
  }
});

describe('visible text', () => {
  it('is the same when it is made visible again', () => {
    for (const visible of [visibleText, visibleLine]) assert.equal(visible(visible(HOSTILE)), visible(HOSTILE));
    assert.equal(visibleText('a\tb\r\nc'), 'a\tb\nc');
    assert.equal(visibleLine('a\tb\r\nc'), 'a\\tb\\nc');
  });
});
