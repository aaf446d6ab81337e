import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setupTable, verdictOf } from '../../src/commands/setup-report.ts';
import type { Look, SetupItem } from '../../src/setup/item.ts';
import { errorText, runItems } from '../../src/setup/run-items.ts';

/** An item that is in a state until it is created or fixed. */
function part(name: string, first: Look['state'], more: Partial<SetupItem> = {}): SetupItem & { calls: string[] } {
  let state = first;
  const calls: string[] = [];
  return {
    name,
    calls,
    look: async () => {
      calls.push('look');
      return { state, facts: [`${name} ${state}`] };
    },
    create: async () => {
      calls.push('create');
      state = 'ok';
    },
    fix: async () => {
      calls.push('fix');
      state = 'ok';
    },
    ...more,
  };
}

const states = (outcomes: readonly { state: string }[]): string[] => outcomes.map(({ state }) => state);

describe('a set-up', () => {
  it('creates what is missing, leaves what differs, and looks again at what it made', async () => {
    const items = [part('a', 'ok'), part('b', 'missing'), part('c', 'differs'), part('d', 'warning')];
    const outcomes = await runItems(items, { fix: false });
    assert.deepEqual(states(outcomes), ['ok', 'created', 'differs', 'warning']);
    assert.deepEqual(
      items.map(({ calls }) => calls.join(' ')),
      ['look', 'look create look', 'look', 'look'],
    );
  });

  it('changes nothing the second time', async () => {
    const items = [part('a', 'missing'), part('b', 'ok')];
    await runItems(items, { fix: true });
    assert.deepEqual(states(await runItems(items, { fix: true })), ['ok', 'ok']);
    assert.deepEqual(items[0]?.calls, ['look', 'create', 'look', 'look']);
  });

  it('fixes what differs when told to, and says what it was before', async () => {
    const [outcome] = await runItems([part('a', 'differs')], { fix: true });
    assert.deepEqual(outcome, { name: 'a', state: 'fixed', facts: ['a ok', 'before: a differs'] });
  });

  it('leaves alone what nobody but a person can make or mend', async () => {
    const theirs = { ...part('a', 'missing') };
    Reflect.deleteProperty(theirs, 'create');
    const foreign = { ...part('b', 'differs') };
    Reflect.deleteProperty(foreign, 'fix');
    assert.deepEqual(states(await runItems([theirs, foreign], { fix: true })), ['missing', 'differs']);
  });

  it('does not call created what is still otherwise than it should be', async () => {
    const stubborn = part('a', 'missing', { create: async () => undefined });
    assert.deepEqual(states(await runItems([stubborn], { fix: false })), ['missing']);
  });

  it('goes on after a failure, skipping what needs the part that failed, and names the root', async () => {
    const broken = part('a', 'ok', { look: async () => Promise.reject(new Error('no answer')) });
    const items = [
      broken,
      part('b', 'missing', { needs: ['a'] }),
      part('c', 'missing', { needs: ['b'] }),
      part('d', 'missing'),
    ];
    const outcomes = await runItems(items, { fix: true });
    assert.deepEqual(
      outcomes.map(({ state, facts }) => `${state}: ${facts.join()}`),
      ['failed: no answer', 'skipped: because of a: failed', 'skipped: because of a: failed', 'created: d ok'],
    );
    assert.deepEqual(
      items.slice(1, 3).map((item) => (item as unknown as { calls: unknown[] }).calls.length),
      [0, 0],
    );
  });

  for (const [state, isUsable] of [
    ['ok', true],
    ['warning', true],
    ['differs', true],
    ['missing', false],
    ['refused', false],
  ] as const) {
    it(`${isUsable ? 'uses' : 'does not use'} a part that is ${state}`, async () => {
      const first = { ...part('a', state) };
      Reflect.deleteProperty(first, 'create');
      const [, second] = await runItems([first, part('b', 'ok', { needs: ['a'] })], { fix: false });
      assert.equal(second?.state, isUsable ? 'ok' : 'skipped');
    });
  }

  it('tells when each item begins and ends', async () => {
    const told: string[] = [];
    await runItems([part('a', 'ok'), part('b', 'missing')], {
      fix: false,
      onBegin: (name) => told.push(`${name}?`),
      onEnd: ({ name, state }) => told.push(`${name} ${state}`),
    });
    assert.deepEqual(told, ['a?', 'a ok', 'b?', 'b created']);
  });
});

describe('an error in words', () => {
  const refused = new AggregateError([
    new Error('connect ECONNREFUSED ::1:1'),
    new Error('connect ECONNREFUSED 127.0.0.1:1'),
  ]);
  const named = Object.assign(new Error('who are you'), { name: 'AccessDenied' });
  const grpc = Object.assign(new Error('5 NOT_FOUND: x'), { details: 'Namespace x is not found.' });
  for (const [error, text] of [
    [refused, 'connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1'],
    [named, 'AccessDenied: who are you'],
    [grpc, 'Namespace x is not found.'],
    [new Error(''), 'no further explanation'],
    ['text', 'text'],
  ] as const) {
    it(text, () => {
      assert.equal(errorText(error), text);
    });
  }
});

describe('the report', () => {
  const outcomes = [
    { name: 'bucket', state: 'ok', facts: ['exists'] },
    { name: 'SQS queue', state: 'differs', facts: ['VisibilityTimeout is 30, should be 21600', 'second'] },
    { name: 'decoder', state: 'failed', facts: [] },
  ] as const;

  it('is a table whose long facts go on below themselves', () => {
    assert.equal(
      setupTable(outcomes, 40),
      [
        'ITEM       STATE    FACTS',
        'bucket     ok       exists',
        'SQS queue  differs  VisibilityTimeout is 30,',
        '                      should be 21600',
        '                    second',
        'decoder    failed',
      ].join('\n'),
    );
  });

  it('ends with a verdict that says what to do', () => {
    assert.equal(
      verdictOf(outcomes),
      'The deployment is not complete, 2 of 3 items need attention (1 ok, 1 differs, 1 failed): "setup --fix" changes what differs, where it can be changed; run setup again once the rest is corrected.',
    );
    assert.equal(verdictOf(outcomes.slice(0, 1)), 'The deployment is complete: 1 ok.');
  });
});
