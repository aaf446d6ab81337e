/** What a test expects of an activity or workflow that fails. */
import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import type { FailureType } from '../../src/failures.ts';

/** It fails with a type that operators know, is not tried again, and says what to do about which thing. */
export async function failsForGood(work: Promise<unknown>, type: FailureType, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof ApplicationFailure, String(error));
    assert.equal(error.type, type);
    assert.equal(error.nonRetryable, true);
    assert.match(error.message, message);
    return true;
  });
}

/** It fails, and Temporal tries it again. */
export async function failsForNow(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof Error);
    assert.ok(!(error instanceof ApplicationFailure && error.nonRetryable === true), 'is final');
    assert.match(error.message, message);
    return true;
  });
}

/** It ends because it was cancelled: with the SDK's failure, or with the AbortError of whatever was going on. */
export async function endsCancelled(work: Promise<unknown>): Promise<void> {
  await assert.rejects(
    work,
    (error) => error instanceof Error && ['CancelledFailure', 'AbortError'].includes(error.name),
  );
}
