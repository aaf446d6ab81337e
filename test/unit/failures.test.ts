/** What an activity's error may bring into a history (docs/security.md T15). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { translatingFailures } from '../../src/activities/failure-edge.ts';
import { loadConfig, secretValues } from '../../src/config.ts';
import { FailureType } from '../../src/failures.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';

const SECRET = 'canary-4711-"quoted"';

async function failureOf(thrown: unknown): Promise<Error> {
  const { activity } = translatingFailures({ activity: () => Promise.reject(thrown as Error) }, [SECRET]);
  return activity().then(
    () => assert.fail('did not fail'),
    (error: unknown) => error as Error,
  );
}

/** Everything of an error that Temporal writes into the history. */
function written(error: Error): string {
  const { message, stack = '', cause } = error;
  return `${message}\n${stack}\n${cause instanceof Error ? written(cause) : ''}`;
}

describe('a failure that leaves an activity', () => {
  const signed = 'https://bucket.s3.amazonaws.com/key?X-Amz-Signature=abcdef0123&X-Amz-Credential=AKID';

  it('T15: has no secret and no query of a URL, in message, stack and causes', async () => {
    const inner = new Error(`login with ${SECRET} refused`);
    const outer = new TypeError(`GET ${signed} failed`, { cause: new Error('between', { cause: inner }) });
    const text = written(await failureOf(outer));
    assert.match(text, /https:\/\/bucket\.s3\.amazonaws\.com\/key\?…/);
    assert.match(text, /login with … refused/);
    assert.doesNotMatch(text, /canary|X-Amz|abcdef0123/);
  });

  it('T15: so has one that is a failure of ours, which stays what it was', async () => {
    const ours = ApplicationFailure.create({
      ...{ message: `${signed} ${SECRET}`, type: FailureType.StateDamaged, nonRetryable: true, details: [1] },
      cause: new Error(SECRET),
    });
    const failure = await failureOf(ours);
    assert.ok(failure instanceof ApplicationFailure);
    assert.deepEqual([failure.type, failure.nonRetryable, failure.details], [FailureType.StateDamaged, true, [1]]);
    assert.doesNotMatch(written(failure), /canary|X-Amz/);
  });

  it('T15: is at most 4 KiB in each part, and has few causes', async () => {
    const long = 'ä'.repeat(100_000);
    let error = new Error(long);
    for (let depth = 0; depth < 50; depth += 1) error = new Error(long, { cause: error });
    const failure = await failureOf(error);
    assert.ok(Buffer.byteLength(failure.message) <= 4096);
    assert.ok(Buffer.byteLength(written(failure)) < 64 << 10);
  });

  it('T20: shows control characters', async () => {
    assert.equal((await failureOf(new Error('a\x1b[31m\u202eb'))).message, 'a\\u001b[31m\\u202eb');
  });

  it('gets the type that operators know, and keeps its name in its cause', async () => {
    const ours = await failureOf(new RangeError('x'));
    assert.ok(ours instanceof ApplicationFailure);
    assert.equal((ours.cause as Error).name, 'RangeError');
    const known = await failureOf(new InvalidDataError('invalid_day', 'x'));
    assert.ok(known instanceof ApplicationFailure);
    assert.deepEqual([known.type, known.nonRetryable], [FailureType.InvalidInput, true]);
    assert.equal((known.cause as Error).name, 'InvalidDataError');
  });

  it('passes a cancellation on as it is', async () => {
    for (const error of [new CancelledFailure('stop'), new DOMException('stop', 'AbortError')])
      assert.equal(await failureOf(error), error);
  });

  it('is an error even when something else was thrown', async () => {
    assert.equal((await failureOf(`text ${SECRET}`)).message, 'text …');
  });
});

describe('secretValues', () => {
  it('has every setting that is marked, and the parts of URLs that errors name alone', () => {
    const values = secretValues(
      loadConfig({
        TELEMETRY_ALERT_SMTP_URL: 'smtp://user:p%40ss%20word@mail.example.org:587',
        TELEMETRY_ALERT_FROM: 'a@example.org',
        TELEMETRY_ALERT_TO: 'b@example.org',
        TELEMETRY_ALERT_WEBHOOK_URL: 'https://hooks.example.org/services/T0/token?key=k',
        TELEMETRY_ALERT_WEBHOOK_SECRET: 'sixteen-letters-at-least',
        TELEMETRY_DEAD_MAN_URL: 'https://dead.example.org/ping/uuid',
      }),
    );
    for (const secret of [
      'smtp://user:p%40ss%20word@mail.example.org:587',
      'p%40ss%20word',
      'p@ss word',
      'https://hooks.example.org/services/T0/token?key=k',
      '/services/T0/token',
      '?key=k',
      'sixteen-letters-at-least',
      '/ping/uuid',
    ]) {
      assert.ok(values.includes(secret), secret);
    }
  });

  it('takes a password that is no valid escape as it is', () => {
    const settings = {
      TELEMETRY_ALERT_SMTP_URL: 'smtp://u:100%25@h',
      TELEMETRY_ALERT_FROM: 'a@b',
      TELEMETRY_ALERT_TO: 'a@b',
    };
    assert.ok(secretValues(loadConfig(settings)).includes('100%'));
    const odd = { ...settings, TELEMETRY_ALERT_SMTP_URL: 'smtp://u:odd%zz@h' };
    assert.ok(secretValues(loadConfig(odd)).includes('odd%zz'));
  });
});
