import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Command } from '@commander-js/extra-typings';
import { ApplicationFailure } from '@temporalio/common';
import { CommandError } from '../../src/commands/command-error.ts';
import { ConfigError } from '../../src/config.ts';
import { runToExitCode } from '../../src/exit-code.ts';

/** What a command that ends with this error writes, and its exit code. */
async function endOf(
  test: TestContext,
  error: Error,
  options: readonly string[] = [],
): Promise<{ text: string; code: unknown }> {
  const write = test.mock.method(process.stderr, 'write', () => true);
  const { argv, exitCode } = process;
  process.argv = ['node', 'telemetry', ...options];
  try {
    const program = new Command('telemetry').option('--verbose').action(() => Promise.reject(error));
    await runToExitCode(program);
    return { text: write.mock.calls.map(({ arguments: [text] }) => String(text)).join(''), code: process.exitCode };
  } finally {
    process.argv = argv;
    process.exitCode = exitCode;
    write.mock.restore();
  }
}

describe('the end of a command', () => {
  const KNOWN: readonly (readonly [what: string, error: Error, code: number])[] = [
    ['a command that failed', new CommandError('it failed; do this'), 1],
    ['input that must be corrected', new CommandError('it failed; do this', { exitCode: 2 }), 2],
    ['a damaged document', ApplicationFailure.nonRetryable('it failed; do this', 'StateDamaged'), 1],
    ['a setting that is wrong', new ConfigError('it failed; do this'), 2],
  ];
  for (const [what, error, code] of KNOWN) {
    it(`${what} is told by its message alone`, async (test) => {
      const end = await endOf(test, error);
      assert.match(end.text, /it failed; do this\n$/);
      assert.doesNotMatch(end.text, /\n +at /);
      assert.equal(end.code, code);
    });
  }

  it('an unknown error is one sentence too, and shows where it is from with --verbose', async (test) => {
    const end = await endOf(test, new TypeError('not expected'));
    assert.match(end.text, /^TypeError: not expected: "telemetry --verbose …" shows where; report it with that\n$/);
    assert.equal(end.code, 1);
    const verbose = await endOf(test, new TypeError('not expected'), ['--verbose']);
    assert.match(verbose.text, /^TypeError: not expected: .*\nTypeError: not expected\n +at /);
  });
});
