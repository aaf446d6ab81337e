import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFilterActivities, type RenderFilterInput } from '../../src/activities/filter.ts';
import { FailureType } from '../../src/failures.ts';
import { eachWithApplication, environment } from '../fakes/application.ts';
import { failsForGood, failsForNow } from '../fakes/failures.ts';

const NOW = '2013-10-30T13:31:00Z';

describe('renderFilter', () => {
  const application = eachWithApplication();
  const render = (day: string, more: { document?: unknown; allowFuture?: boolean } = {}) =>
    application().run('renderFilter', { day, now: NOW, allowFuture: false, ...more });

  it('puts the day in the place of DATE in the template', async () => {
    const filter = await render('20131029');
    assert.deepEqual(filter.dimensions[5], { field_name: 'submission_date', allowed_values: ['20131029'] });
  });

  for (const day of ['20130229', '2013-10-29', '20131301']) {
    it(`refuses the day ${day}`, () => failsForGood(render(day), FailureType.InvalidInput, new RegExp(day)));
  }

  it('refuses a day in the future unless it is allowed', async () => {
    await failsForGood(render('20131031'), FailureType.InvalidInput, /20131031 is in the future/);
    await render('20131031', { allowFuture: true });
    await failsForGood(
      render('20331031', { allowFuture: true }),
      FailureType.InvalidInput,
      /20331031 is too far in the future: at most 7 days from today are allowed, 201311\d\d/,
    );
  });

  it('of a template that is not there is final, and names it', async () => {
    const app = application();
    const missing = Object.assign(new Error('no such file'), { code: 'ENOENT', path: '/etc/filter.json.in' });
    const activities = createFilterActivities({ settings: app.settings, readTemplate: () => Promise.reject(missing) });
    await failsForGood(
      environment().run((input: RenderFilterInput) => activities.renderFilter(input), {
        day: '20131029',
        now: NOW,
        allowFuture: false,
      }),
      FailureType.InvalidFilter,
      /The filter template \/etc\/filter\.json\.in cannot be read/,
    );
  });

  it('refuses a template without DATE', async () => {
    const app = application();
    app.template = app.template.replace('DATE', '20131029');
    await failsForGood(render('20131029'), FailureType.InvalidFilter, /no DATE/);
  });

  it('refuses a template with DATE inside a word', async () => {
    const app = application();
    app.template = app.template.replace('DATE', 'UPDATED');
    await failsForGood(render('20131029'), FailureType.InvalidFilter, /inside a longer word/);
  });

  it('refuses a template that is no JSON', async () => {
    application().template = '{ "DATE"';
    await failsForGood(render('20131029'), FailureType.InvalidFilter, /not JSON/);
  });

  it('takes a document that names its dates itself instead of the template', async () => {
    const app = application();
    const document = JSON.parse(app.template.replace('DATE', '20130101')) as unknown;
    const filter = await render('20131029', { document });
    assert.deepEqual(filter.dimensions[5], { field_name: 'submission_date', allowed_values: ['20130101'] });
  });

  it('refuses a document that is no filter, with or without a day', async () => {
    const document = { version: 1, dimensions: [] };
    await failsForGood(render('20131029', { document }), FailureType.InvalidFilter, /dimension/);
    await failsForGood(application().run('parseFilterDocument', { document }), FailureType.InvalidFilter, /dimension/);
  });

  it('is tried again when the template cannot be read now', async () => {
    const app = application();
    Object.defineProperty(app, 'template', {
      get: () => {
        throw new Error('disk is busy');
      },
    });
    await failsForNow(render('20131029'), /disk is busy/);
  });
});
