import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../src/failures.ts';
import { progressQuery, type Progress } from '../../src/workflows/run-progress.ts';
import { eventually } from '../fakes/eventually.ts';
import { WEBSITE } from '../fakes/stage-activities.ts';
import { temporalForTests } from '../fakes/temporal.ts';

const temporal = temporalForTests('time-skipping');
const SETTINGS = { source: 'https://example.org/site branch master', site: 's3://site/' };

describe('websiteUpdate', () => {
  for (const [title, input, passed] of [
    ['without input', undefined, { force: false, dryRun: false }],
    ['of the schedule', {}, { force: false, dryRun: false }],
    ['that is forced', { force: true }, { force: true, dryRun: false }],
    ['that is a dry run', { dryRun: true }, { force: false, dryRun: true }],
  ] as const) {
    it(`a run ${title} publishes the configured source and says what it did`, async () => {
      const { calls, result } = await temporal().execute({ type: 'websiteUpdate', input });
      assert.deepEqual(calls.slice(1), [{ name: 'publishWebsite', input: passed }]);
      assert.deepEqual(result, { ...WEBSITE, ...SETTINGS });
    });
  }

  it('ends well and publishes nothing where no source is configured', async () => {
    const { names, result } = await temporal().execute({
      type: 'websiteUpdate',
      activities: { describeWebsite: async () => ({ source: null, site: 's3://site/' }) },
    });
    assert.deepEqual(names, ['describeWebsite']);
    assert.deepEqual(result, { outcome: 'not-configured', site: 's3://site/' });
  });

  it('tells where it is and where the website goes', async () => {
    const go = Promise.withResolvers<undefined>();
    let seen: Progress | undefined;
    await temporal().execute({
      type: 'websiteUpdate',
      activities: {
        publishWebsite: async () => {
          await go.promise;
          return WEBSITE;
        },
      },
      during: async (handle) => {
        await eventually(async () => {
          seen = await handle.query(progressQuery);
          assert.equal(seen.phase, 'fetching and comparing');
        });
        go.resolve(undefined);
      },
    });
    assert.deepEqual(seen?.facts, { source: SETTINGS.source, site: '`s3://site/`' });
  });

  it('tries a source that cannot be reached again', async () => {
    let attempts = 0;
    const { result } = await temporal().execute({
      type: 'websiteUpdate',
      activities: {
        publishWebsite: async () => {
          attempts += 1;
          if (attempts < 3) throw new Error('host does not answer');
          return WEBSITE;
        },
      },
    });
    assert.equal(attempts, 3);
    assert.equal(result?.['outcome'], 'published');
  });

  it('fails once, with the reason, when a guard refuses', async () => {
    const { names, failure } = await temporal().execute({
      type: 'websiteUpdate',
      activities: {
        publishWebsite: async () => {
          throw ApplicationFailure.nonRetryable('7 of 9 objects would be deleted', FailureType.WebsiteRefused);
        },
      },
    });
    assert.deepEqual(names, ['describeWebsite', 'publishWebsite']);
    const cause = failure?.cause as ApplicationFailure;
    assert.equal(cause.type, FailureType.WebsiteRefused);
    assert.match(cause.message, /7 of 9/);
  });

  it('refuses a source as input before anything is done', async () => {
    const { names, failure } = await temporal().execute({
      type: 'websiteUpdate',
      input: { repository: 'https://evil.example/x', force: 1 },
    });
    assert.deepEqual(names, []);
    assert.equal((failure as ApplicationFailure).type, FailureType.InvalidInput);
    assert.match(failure?.message ?? '', /"repository" is not known.*"force" must be true or false/);
  });
});
