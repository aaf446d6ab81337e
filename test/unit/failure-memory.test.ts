import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailureMemory } from '../../src/histogram-server/failure-memory.ts';

const FORGET_AFTER = { notFoundMs: 1000, failureMs: 100 };

function memoryAt(clock: { ms: number }): FailureMemory {
  return new FailureMemory(FORGET_AFTER, { now: () => clock.ms });
}

describe('FailureMemory', () => {
  it('keeps what was not found longer than what failed', () => {
    const clock = { ms: 5 };
    const memory = memoryAt(clock);
    memory.failed('gone', 'not_found');
    memory.failed('bad', 'failed');
    clock.ms += 99;
    assert.deepEqual([memory.of('gone'), memory.of('bad'), memory.of('other')], ['not_found', 'failed', undefined]);
    clock.ms += 2;
    assert.deepEqual([memory.of('gone'), memory.of('bad')], ['not_found', undefined]);
    clock.ms += 900;
    assert.equal(memory.of('gone'), undefined);
  });

  it('forgets at once what succeeded', () => {
    const memory = memoryAt({ ms: 5 });
    memory.failed('a', 'failed');
    memory.succeeded('a');
    assert.equal(memory.of('a'), undefined);
  });

  it('lets the upstream rest for all after three silent answers in a row', () => {
    const clock = { ms: 5 };
    const memory = memoryAt(clock);
    memory.failed('a', 'timed_out');
    memory.failed('b', 'unreachable');
    assert.equal(memory.of('other'), undefined);
    memory.failed('c', 'timed_out');
    assert.equal(memory.of('other'), 'timed_out');
    assert.equal(memory.of('b'), 'unreachable');
    clock.ms += 101;
    assert.equal(memory.of('other'), undefined);
  });

  it('does not count silent answers with others between them', () => {
    const memory = memoryAt({ ms: 5 });
    for (const fault of ['timed_out', 'timed_out', 'not_found', 'timed_out', 'timed_out'] as const)
      memory.failed(fault, fault);
    memory.succeeded('a');
    memory.failed('b', 'timed_out');
    assert.equal(memory.of('other'), undefined);
  });
});
