/** Completion as the shell does it: bash is asked what it would offer. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { completionScript } from '../../src/commands/completion.ts';
import { telemetryProgram } from '../../src/program.ts';

const program = telemetryProgram();

/** What bash offers behind these words; the last one is being written. */
function offered(shell: 'bash' | 'zsh', ...words: readonly string[]): string[] {
  const line = ['telemetry', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${completionScript(program, shell).replace(/^autoload.*$/m, '')}
COMP_WORDS=(${line}); COMP_CWORD=${words.length}
_telemetry_completion
printf '%s\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.split('\n').filter((word) => word !== '');
}

describe('completion', () => {
  for (const [words, wanted] of [
    [['run-'], ['run-day']],
    [['quar'], ['quarantine']],
    [
      ['quarantine', ''],
      ['list', 'show', 'release', 'acknowledge', 'purge', '--help'],
    ],
    [['quarantine', 'pu'], ['purge']],
    [['quarantine', 'purge', '--old'], ['--older-than-days']],
    [['--verbose', 'website', 'p'], ['publish']],
    [['run-day', '--day', '20131029', '--rep'], ['--replace-anyway']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', '--help'],
    ],
    [['run-day', '20131029'], []],
  ] as const)
    it(`of "telemetry ${words.join(' ')}" offers ${wanted.join(', ') || 'files'}`, () => {
      assert.deepEqual(offered('bash', ...words), wanted);
    });

  it('has a description for every command', () => {
    const all = (command: CommandUnknownOpts): CommandUnknownOpts[] => [command, ...command.commands.flatMap(all)];
    assert.deepEqual(
      all(program)
        .filter((command) => command.description() === '')
        .map((command) => command.name()),
      [],
    );
  });

  it('knows every command', () => {
    const names = program.commands.map((command) => command.name());
    assert.deepEqual(
      offered('bash', '').filter((word) => !word.startsWith('--')),
      names,
    );
    assert.deepEqual(
      offered('zsh', '').filter((word) => !word.startsWith('--')),
      names,
    );
  });

  it('of fish names every subcommand with its description', () => {
    const script = completionScript(program, 'fish');
    assert.match(
      script,
      /^complete -c telemetry -n 'true; and not __fish_seen_subcommand_from .*' -f -a 'run-day' -d 'analyse and publish one day/m,
    );
    assert.match(
      script,
      /^complete -c telemetry -n '__fish_seen_subcommand_from quarantine; and __fish_seen_subcommand_from purge' -l older-than-days -d/m,
    );
  });
});
