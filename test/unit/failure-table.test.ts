/** The rule of the failure table: what the same input would cause again is final, only what may pass by itself is tried again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { MAX_UNEXPECTED_ATTEMPTS, translatingFailures } from '../../src/activities/failure-edge.ts';
import { failureTypeOf } from '../../src/error-classes.ts';
import { exitCodeOf, type Failure, failure, FailureType, isFinal, readFailure, verdictOf } from '../../src/failures.ts';
import { againOf, JOBS, WORKFLOW_TYPES } from '../../src/jobs.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import {
  ObjectMissingError,
  PassingError,
  PreconditionFailedError,
  QueueMissingError,
  UnreachableError,
} from '../../src/ports.ts';

/** Whatever may pass by itself, and nothing else. */
const PASSING: readonly FailureType[] = ['SqsRefused', 'ServiceUnavailable', 'TimedOut', 'DiskFull', 'UnexpectedError'];

const withCode = (code: string) => Object.assign(new Error(code), { code });
const withStatus = (name: string, httpStatusCode: number) =>
  Object.assign(new Error(name), { name, $fault: 'server', $metadata: { httpStatusCode } });
const named = (name: string) => Object.assign(new Error(name), { name });

/** Errors as they are thrown, and the row that each has. */
const THROWN: readonly (readonly [error: unknown, type: FailureType])[] = [
  [new InvalidDataError('invalid_day', 'x'), 'InvalidInput'],
  [new InvalidDataError('invalid_template', 'x'), 'InvalidFilter'],
  [new InvalidDataError('bad_part', 'x'), 'StateDamaged'],
  [new InvalidDataError('bad_versions', 'x'), 'PointerDamaged'],
  [new InvalidDataError('bad_os', 'x'), 'InvalidData'],
  [new QueueMissingError('x'), 'QueueMissing'],
  [new ObjectMissingError('x'), 'StateDamaged'],
  [new PreconditionFailedError('x'), 'ServiceUnavailable'],
  [new PassingError('x'), 'ServiceUnavailable'],
  [new UnreachableError('x', 'Y'), 'ServiceUnavailable'],
  [named('NoSuchBucket'), 'BucketMissing'],
  [named('AccessDenied'), 'AccessDenied'],
  [named('SlowDown'), 'ServiceUnavailable'],
  [named('TimeoutError'), 'ServiceUnavailable'],
  [withCode('ECONNREFUSED'), 'ServiceUnavailable'],
  [withCode('EAI_AGAIN'), 'ServiceUnavailable'],
  [withCode('ENOSPC'), 'DiskFull'],
  [withCode('ENAMETOOLONG'), 'ProgramError'],
  [withCode('ERR_WORKER_OUT_OF_MEMORY'), 'OutOfMemory'],
  [withCode('ERR_STRING_TOO_LONG'), 'ProgramError'],
  [new RangeError('Invalid array length'), 'ProgramError'],
  [new TypeError("Cannot read properties of undefined (reading 'x')"), 'ProgramError'],
  [new SyntaxError('x'), 'ProgramError'],
  // `fetch` and the SDK wrap what happened to the connection.
  [new TypeError('fetch failed', { cause: withCode('ECONNRESET') }), 'ServiceUnavailable'],
  [Object.assign(new SyntaxError('Unexpected token <'), { $metadata: {} }), 'ServiceUnavailable'],
  [new TypeError('fetch failed', { cause: withCode('UND_ERR_HEADERS_TIMEOUT') }), 'ServiceUnavailable'],
  [new TypeError('fetch failed', { cause: new AggregateError([withCode('ECONNREFUSED')]) }), 'ServiceUnavailable'],
  [withStatus('InternalFailure', 500), 'ServiceUnavailable'],
  [withStatus('TooManyRequestsException', 429), 'ServiceUnavailable'],
  [withStatus('OperationAborted', 409), 'ServiceUnavailable'],
  [withStatus('Forbidden', 403), 'AccessDenied'],
  [new Error('the chunk', { cause: new RangeError('x') }), 'ProgramError'],
  [new Error('who knows'), 'UnexpectedError'],
  ['no error at all', 'UnexpectedError'],
  [failure('NothingAnalysed', 'x'), 'NothingAnalysed'],
  [failure('PoorerRun', 'x'), 'PoorerRun'],
  [failure('WrongDataSet', 'x'), 'WrongDataSet'],
  [ApplicationFailure.create({ message: 'x', type: 'OfALaterRelease' }), 'UnexpectedError'],
];

async function thrownBy(error: unknown, attempt = 1): Promise<Error> {
  const { activity } = translatingFailures({
    activity: async (...given: object[]) => {
      assert.equal(given.length, 1);
      throw error as Error;
    },
  });
  return new MockActivityEnvironment({ attempt }).run(activity, { chunk: 3 }).then(
    () => assert.fail('did not fail'),
    (thrown: unknown) => thrown as Error,
  );
}

describe('the failure table', () => {
  for (const type of Object.values(FailureType)) {
    it(`${type} is ${PASSING.includes(type) ? 'tried again' : 'final'}, in the table and as it is thrown`, () => {
      assert.equal(isFinal(type), !PASSING.includes(type));
      assert.equal(failure(type, 'x').nonRetryable, isFinal(type));
      assert.equal(failureTypeOf(failure(type, 'x')), type);
      assert.ok([1, 2].includes(exitCodeOf(type)));
    });
  }

  for (const [error, type] of THROWN) {
    const name = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    it(`an activity that ends with ${name} is ${type}`, async () => {
      assert.equal(failureTypeOf(error), type);
      const thrown = await thrownBy(error);
      if (!isFinal(type)) {
        assert.ok(!(thrown instanceof ApplicationFailure) || thrown.nonRetryable !== true);
        return;
      }
      assert.ok(thrown instanceof ApplicationFailure);
      assert.deepEqual([thrown.type, thrown.nonRetryable], [type, true]);
    });
  }

  it('an error of the program names the input that causes it', async () => {
    assert.match((await thrownBy(new RangeError('Invalid string length'))).message, /input: \{"chunk":3\}/);
    assert.match((await thrownBy(withCode('ERR_WORKER_OUT_OF_MEMORY'))).message, /input: \{"chunk":3\}/);
  });

  it('an error of a kind that is hard to read reaches Temporal all the same', async () => {
    const ring = new TypeError('ring');
    ring.cause = ring;
    const hostile = Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('no');
      },
    });
    for (const thrown of [new DOMException('late', 'DataError'), ring, hostile, Object.create(null), undefined]) {
      const error = await thrownBy(thrown, MAX_UNEXPECTED_ATTEMPTS);
      assert.ok(error instanceof Error);
      assert.equal(typeof error.message, 'string');
    }
    assert.match((await thrownBy(new DOMException('too late', 'DataError'))).message, /too late/);
  });

  it('an error that no row knows is tried a few times, then final', async () => {
    const last = await thrownBy(new Error('who knows'), MAX_UNEXPECTED_ATTEMPTS);
    assert.ok(last instanceof ApplicationFailure);
    assert.deepEqual([last.type, last.nonRetryable], ['UnexpectedError', true]);
    const before = await thrownBy(new Error('who knows'), MAX_UNEXPECTED_ATTEMPTS - 1);
    assert.ok(!(before instanceof ApplicationFailure));
  });
});

describe('what a failure says to people', () => {
  const given = (part: Partial<Failure>): Failure => ({
    ...{ type: null, message: '', activity: null, timeout: null },
    ...part,
  });
  const PROGRAM: readonly FailureType[] = ['ProgramError', 'OutOfMemory', 'UnexpectedError'];

  for (const workflowType of WORKFLOW_TYPES) {
    it(`has an owner and an instruction for each type, of ${workflowType}`, () => {
      for (const type of Object.values(FailureType)) {
        const { name } = JOBS[workflowType];
        const { class: kind, owner, action } = verdictOf(given({ type }), name, againOf(name, '20131029'));
        assert.equal(kind === 'program', PROGRAM.includes(type), type);
        assert.ok(owner.length > 3 && action.length > 20, type);
        assert.doesNotMatch(action, /[{}]|undefined/, type);
        assert.match(action, /^[A-Z].*\.$/s, type);
      }
    });
  }

  for (const [part, kind, action] of [
    [{ type: 'QueueMissing' }, 'set-up', /telemetry setup --fix/],
    [{ type: 'AccessDenied' }, 'permission', /role/],
    [{ type: 'StateDamaged' }, 'stored data', /restore.*run-day --day 20131029/i],
    [{ type: 'CommitRefused' }, 'stored data', /telemetry verify/],
    [{ type: 'InvalidFilter' }, 'configuration', /TELEMETRY_FILTER_TEMPLATE/],
    [
      { message: 'connect ECONNREFUSED 127.0.0.1:8333', activity: 'planTasks' },
      'infrastructure',
      /PlanTasks|planTasks/,
    ],
    [{ message: 'ENOSPC: no space left on device, write' }, 'infrastructure', /TELEMETRY_WORK_DIRECTORY/],
    [{ timeout: 'HEARTBEAT', activity: 'mergeChunk' }, 'infrastructure', /mergeChunk/],
    [
      { message: "Cannot read properties of undefined (reading 'x')", activity: 'stageSnapshot' },
      'program',
      /stageSnapshot/,
    ],
    [{ type: 'SomethingNew', message: 'x' }, 'program', /the workflow/],
  ] as const) {
    it(`${JSON.stringify(part)} is about ${kind}`, () => {
      const verdict = verdictOf(given(part), 'daily-analysis', againOf('daily-analysis', '20131029'));
      assert.equal(verdict.class, kind);
      assert.match(verdict.action, action);
    });
  }

  for (const [type, job, advice, never] of [
    ['InvalidFilter', 'investigation', /filter that the investigation was given/, /TELEMETRY_FILTER_TEMPLATE|run-day/],
    ['QueueMissing', 'investigation', /start the investigation again/, /^Run "telemetry setup --fix"/],
    ['QueueMissing', 'continuous-aggregation', /telemetry setup --fix.*telemetry aggregate --detach/, /run-day/],
    ['NothingAnalysed', 'daily-analysis', /missing.*telemetry status.*run-day --day 20131029/, /every task failed/],
    ['PlanTooLarge', 'investigation', /--allow-large-plan/, /run-day/],
    ['AccessDenied', 'website-update', /deploy\/iam.*telemetry website publish/, /run-day/],
    ['GarbageRefused', 'garbage-collection', /telemetry verify/, /run-day/],
  ] as const) {
    it(`${type} of ${job} has advice of its own`, () => {
      const { action } = verdictOf(given({ type }), job, againOf(job, '20131029'));
      assert.match(action, advice);
      assert.doesNotMatch(action, never);
    });
  }

  it('is read from what the SDK reports', () => {
    const cause = failure('QueueMissing', 'no queue');
    const activity = new ActivityFailure(
      'Activity task failed',
      'planTasks',
      '5',
      'NON_RETRYABLE_FAILURE',
      'me',
      cause,
    );
    assert.deepEqual(readFailure(activity, 5), {
      ...{ type: 'QueueMissing', message: 'no qu', activity: 'planTasks', timeout: null },
    });
    const timeout = new TimeoutFailure('timed out', undefined, 'HEARTBEAT');
    assert.equal(readFailure(timeout, 100).timeout, 'HEARTBEAT');
  });
});
