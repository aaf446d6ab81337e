import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { unlessAborted, withDeadline } from '../../src/deadline.ts';

const never = (): Promise<never> => new Promise(() => undefined);

describe('withDeadline', () => {
  afterEach(() => {
    mock.timers.reset();
  });

  it('gives what the work gives, and its error', async () => {
    assert.equal(await withDeadline(1000, async () => 7), 7);
    await assert.rejects(
      withDeadline(1000, async () => Promise.reject(new Error('refused'))),
      /^Error: refused$/,
    );
  });

  it('leaves work behind that takes no signal, and says how long it waited', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const waiting = withDeadline(30_000, never);
    mock.timers.tick(30_000);
    await assert.rejects(waiting, /^Error: no answer within 30 s$/);
  });

  it('aborts the signal with the same error', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    let given: AbortSignal | undefined;
    const waiting = withDeadline(1500, async (signal) => {
      given = signal;
      return never();
    });
    mock.timers.tick(1500);
    const error: unknown = await waiting.catch((reason: unknown) => reason);
    assert.equal(given?.reason, error);
    assert.match(String(error), /no answer within 1\.5 s/);
  });

  it('aborts nothing once the work has ended', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const signal = await withDeadline(1000, async (given) => given);
    mock.timers.tick(2000);
    assert.equal(signal.aborted, false);
  });
});

describe('unlessAborted', () => {
  it('does not begin the work after the signal', async () => {
    let begun = false;
    const work = async (): Promise<void> => {
      begun = true;
    };
    await assert.rejects(unlessAborted(AbortSignal.abort(new Error('closed')), work), /closed/);
    assert.equal(begun, false);
  });

  it('ends at the signal, whatever becomes of the work', async () => {
    const controller = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    const waiting = unlessAborted(controller.signal, () => promise);
    controller.abort(new Error('closed'));
    await assert.rejects(waiting, /closed/);
    // Else the process would end here.
    reject(new Error('too late'));
  });
});
