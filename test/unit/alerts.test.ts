import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Failure, FailureType } from '../../src/failures.ts';
import { type AlertContext, type AlertedRun, alertFor, type Outcome } from '../../src/alerts/alert.ts';
import { plainLine, plainText, textTail } from '../../src/pipeline/plain-text.ts';

const failure = (part: Partial<Failure>): Failure => ({
  type: null,
  message: '',
  activity: null,
  timeout: null,
  ...part,
});

describe('texts that others wrote', () => {
  const secrets = ['s3cr3t-hmac-key', 'pässword'];
  const hidden: [string, string][] = [
    ['smtp://me:hunter22@mail.example.org:587 refused', 'hunter22'],
    ['GET https://bucket.s3.amazonaws.com/key?X-Amz-Signature=abcdef0123&X-Amz-Date=1 failed', 'abcdef0123'],
    ['Authorization: AWS4-HMAC-SHA256 Credential=AKIAXX/2026', 'AKIAXX'],
    ['{"password":"hunter22","user":"me"}', 'hunter22'],
    ['aws_secret_access_key = wJalrXUtnFEMI', 'wJalrXUtnFEMI'],
    ['token=abc.def.ghi', 'abc.def.ghi'],
    ['the key is s3cr3t-hmac-key!', 's3cr3t-hmac-key'],
    ['pässword in clear', 'pässword'],
  ];
  for (const [text, secret] of hidden) {
    it(`hides the secret in ${JSON.stringify(text)}`, () => {
      assert.ok(!plainText(text, secrets).includes(secret), plainText(text, secrets));
    });
  }

  it('keeps what is no secret', () => {
    const text = 'The filter admits no file of s3://telemetry/saved_session/x\n\tsee docs (https://example.org/page)';
    assert.equal(plainText(text), text);
  });

  it('T20: shows control characters, colours and the marks that turn text around', () => {
    assert.equal(
      plainText('a\x1b[31mred\x1b[0m\r\nb\u0007\u202egnp.exe\u0085'),
      'a\\u001b[31mred\\u001b[0m\nb\\u0007\\u202egnp.exe\\u0085',
    );
  });

  it('a line stays one line', () => {
    assert.equal(plainLine('daily\r\nBcc: everybody@example.org\t x'), 'daily Bcc: everybody@example.org x');
    assert.equal(plainLine('x'.repeat(300)).length, 200);
  });

  it('the tail of a long text begins with a whole line', () => {
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`);
    const tail = textTail(lines.join('\n'), 40);
    assert.ok(Buffer.byteLength(tail) <= 40);
    assert.ok(lines.join('\n').endsWith(`\n${tail}`));
    assert.equal(textTail('short', 40), 'short');
  });
});

const NOW = '2013-10-30T13:31:05.000Z';
const RUN: AlertedRun = {
  job: 'daily-analysis',
  about: '20131029',
  alertId: 'a1',
  workflowId: 'daily-analysis-2013-10-30T13:31:00Z',
  runId: 'r1',
  workflowType: 'dailyAnalysis',
  attempt: 1,
  startedAt: '2013-10-30T13:31:00.000Z',
  endedAt: '2013-10-30T13:31:05.000Z',
  facts: { run: '`u1`', input: '3 files' },
};
const CONTEXT: AlertContext = { link: 'http://ui/x', log: ['one', 'two'], secrets: [], failedSince: null };
const FAILED: Outcome = {
  kind: 'failed',
  step: 'listing the input bucket',
  failure: failure({ type: FailureType.QueueMissing, message: 'no such queue', activity: 'planTasks' }),
};

describe('an alert', () => {
  it('of a failed run has the sections of a cronic report, what to do, and the link', () => {
    const alert = alertFor(RUN, FAILED, CONTEXT);
    assert.equal(alert?.kind, 'failed');
    assert.equal(alert.subject, '[daily-analysis] failed for 20131029');
    const sections = [...alert.text.matchAll(/^([A-Z][A-Z ]+):/gm)].map(([, name]) => name);
    assert.deepEqual(sections, ['WHAT TO DO', 'OWNER', 'ERROR OUTPUT', 'RESULT CODE', 'COUNTS', 'MORE', 'LOG']);
    assert.match(
      alert.text,
      /^daily-analysis failed for 20131029 at the step "listing the input bucket" \(planTasks\)\.\n/,
    );
    for (const part of [
      'QueueMissing',
      'no such queue',
      'planTasks',
      'run: u1',
      'one\ntwo',
      'http://ui/x',
      RUN.workflowId,
    ]) {
      assert.ok(alert.text.includes(part), part);
    }
  });

  it('success is silent; warnings are told; a success after a failure is a recovery, told once with its warnings', () => {
    assert.equal(alertFor(RUN, { kind: 'ended', warnings: [] }, CONTEXT), undefined);
    const warned = alertFor(RUN, { kind: 'ended', warnings: ['3 analysis tasks gave no result'] }, CONTEXT);
    assert.deepEqual(
      [warned?.kind, warned?.subject],
      ['warnings', '[daily-analysis] ended with warnings for 20131029'],
    );
    assert.match(
      warned?.text ?? '',
      /\n\nWHAT TO DO: Follow each warning: .* run the day again: "telemetry run-day --day 20131029"\.\n\nWARNINGS:\n3 analysis tasks/,
    );
    const since = { ...CONTEXT, failedSince: '2013-10-30T13:31:05.000Z' };
    const recovered = alertFor(RUN, { kind: 'ended', warnings: ['w'] }, since);
    assert.equal(recovered?.kind, 'recovered');
    assert.match(recovered.text, /FAILED SINCE: 2013-10-30[^]*WARNINGS:\nw/);
    assert.ok(!recovered.text.includes('LOG:'));
  });

  it('says nothing twice, and has no section without content', () => {
    const facts = { warnings: '3 analysis tasks gave no result\nno input', tasks: '9 done' };
    for (const outcome of [
      { kind: 'ended', warnings: ['3 analysis tasks gave no result', 'no input'] },
      { kind: 'underway', warnings: ['3 analysis tasks gave no result', 'no input'] },
      { ...FAILED, failure: { ...FAILED.failure, message: '3 analysis tasks gave no result' } },
    ] satisfies Outcome[]) {
      const shown = outcome.kind === 'failed' ? { tasks: '9 done' } : facts;
      const text = alertFor({ ...RUN, facts: shown }, outcome, CONTEXT)?.text ?? '';
      assert.equal(text.split('3 analysis tasks gave no result').length, 2, text);
      assert.match(text, /COUNTS:\ntasks: 9 done\n/);
      assert.match(text, /^WHAT TO DO: /m);
    }
    const well = alertFor(
      { ...RUN, facts: {} },
      { kind: 'ended', warnings: [] },
      { ...CONTEXT, failedSince: NOW },
    )?.text;
    assert.doesNotMatch(well ?? '', /WARNINGS|WHAT TO DO|COUNTS|none/);
    assert.match(
      well ?? '',
      /^daily-analysis for 20131029 is well again: nothing is left to do\.\nFAILED SINCE: 2013-10-30 13:31:05 UTC\n/,
    );
  });

  it('T11: a warning of a run that goes on is no recovery, and names no result', () => {
    const since = { ...CONTEXT, failedSince: '2013-10-30T13:31:05.000Z' };
    const alert = alertFor(RUN, { kind: 'underway', warnings: ['the queue is flooded'] }, since);
    assert.deepEqual([alert?.kind, alert?.subject], ['underway', '[daily-analysis] warns while it runs for 20131029']);
    assert.match(alert?.text ?? '', /WARNINGS:\nthe queue is flooded/);
    assert.doesNotMatch(alert?.text ?? '', /RESULT CODE|FAILED SINCE/);
  });

  it('shows the last 200 log lines, at most 64 KiB of them', () => {
    const many = Array.from({ length: 300 }, (_, index) => `line ${index}`);
    const text = alertFor(RUN, FAILED, { ...CONTEXT, log: many })?.text ?? '';
    assert.ok(text.includes('line 100\n') && text.includes('line 299') && !text.includes('line 99\n'));
    const long = Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(2000)}`);
    assert.ok(Buffer.byteLength(alertFor(RUN, FAILED, { ...CONTEXT, log: long })?.text ?? '') < 68 << 10);
  });

  it('T20: a hostile day or message cannot add headers or hide in the subject', () => {
    const hostile = { ...RUN, about: '2013\r\nBcc: x@example.org\u202e' };
    assert.equal(
      alertFor(hostile, FAILED, CONTEXT)?.subject,
      '[daily-analysis] failed for 2013 Bcc: x@example.org\\u202e',
    );
  });
});
