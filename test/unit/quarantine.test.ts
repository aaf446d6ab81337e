import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { checkedShaPrefix, onlySha, parseQuarantineEntry } from '../../src/pipeline/quarantine/entry.ts';
import { dayOfRun } from '../../src/state/keys.ts';
import { releaseStep } from '../../src/state/release-step.ts';

const RUN = '00000000-0000-4000-8000-000000000001';
const RESULT = `s3://analysis/output/${RUN}/7/result.txt`;

const STEPS: readonly [what: string, reason: string, content: string, expected: Record<string, unknown> | RegExp][] = [
  ['done_message', 'unknown_run', 'e30=', { kind: 'send', body: 'e30=' }],
  ['done_message', 'not_base64', '!', { kind: 'send', body: '!' }],
  ['result', 'duplicate_input', RESULT, { kind: 'wait', taskId: `${RUN}/7` }],
  ['result', 'bad_key', RESULT, { kind: 'analyse', taskId: `${RUN}/7`, runId: RUN }],
  ['result', 'duplicate_input', `s3://analysis/output/${RUN}/0/result.txt`, /names no result/],
  ['result', 'duplicate_input', `s3://analysis/output/../${RUN}/7/result.txt`, /names no result/],
  ['result', 'bad_key', 'elsewhere', /names no result/],
  ['adopted_measure', 'bad_gzip', 's3://telemetry-dashboard/v7/x/', /adopted history/],
  ['damaged', 'bad_entry', '', /does not know: damaged/],
];

describe('release of a quarantined thing', () => {
  for (const [what, reason, content, expected] of STEPS) {
    it(`${what}, ${reason}, ${content} → ${expected instanceof RegExp ? 'refused' : String(expected['kind'])}`, () => {
      const step = releaseStep({ what, reason, message: 'm', content });
      if (expected instanceof RegExp) assert.match(step.kind === 'refuse' ? step.why : step.kind, expected);
      else assert.deepEqual(step, expected);
    });
  }

  it('only the state of a daily run names a day', () => {
    assert.equal(dayOfRun(`state/runs/20131029/${RUN}/`), '20131029');
    for (const other of [`state/investigations/20131029/${RUN}/`, `state/rounds/x/${RUN}/`, ''])
      assert.equal(dayOfRun(other), undefined);
  });
});

describe('the beginning of a SHA', () => {
  const SHAS = [`abcdef0${'0'.repeat(57)}`, `abcdef1${'0'.repeat(57)}`];

  it('names the only one that begins so, whatever its case', () => {
    assert.equal(checkedShaPrefix('ABCDEF0'), 'abcdef0');
    assert.equal(onlySha('abcdef0', SHAS.slice(0, 1)), SHAS[0]);
  });

  for (const given of ['abcde', '', 'abcdeg', 'a'.repeat(65), '../../x']) {
    it(`"${given}" is refused`, () => {
      assert.throws(() => checkedShaPrefix(given), refusal('bad_sha', /at least the first 6 digits/));
    });
  }

  it('none, or more than one, is refused', () => {
    assert.throws(() => onlySha('abcdef', []), refusal('unknown_sha', /begins with abcdef/));
    assert.throws(() => onlySha('abcdef', SHAS), refusal('ambiguous_sha', /2 begin with abcdef: abcdef0.*abcdef1/));
  });
});

describe('a quarantine object', () => {
  it('is read as it was written, other fields left out', () => {
    const entry = { what: 'result', reason: 'bad_key', message: 'm', content: RESULT };
    assert.deepEqual(parseQuarantineEntry(JSON.stringify({ ...entry, more: 1 })), entry);
  });

  for (const text of ['', 'null', '[]', '{"what":"result"}', '{"what":1,"reason":"r","message":"m","content":"c"}']) {
    it(`${text === '' ? 'nothing' : text} is damaged`, () => {
      assert.throws(() => parseQuarantineEntry(text), refusal('bad_entry', /^quarantine object/));
    });
  }
});

function refusal(reason: string, message: RegExp) {
  return (error: unknown): boolean =>
    error instanceof InvalidDataError && error.reason === reason && message.test(error.message);
}
