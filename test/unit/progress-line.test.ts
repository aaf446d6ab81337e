/** How far a long step is, as a person reads it on a terminal. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { barText, StepRate, stepText } from '../../src/commands/progress-line.ts';

describe('the progress of a step', () => {
  for (const [counter, perSecond, text] of [
    [{ done: 0, of: 11, unit: 'tasks' }, null, '[....................] 0 of 11 tasks'],
    [{ done: 9, of: 11, unit: 'tasks' }, 0.5, '[################....] 9 of 11 tasks, 30/min, 4 s left'],
    [{ done: 11, of: 11, unit: 'tasks' }, 2, '[####################] 11 of 11 tasks, 2/s'],
    [{ done: 100, of: 20_000, unit: 'tasks' }, 2.345, '[....................] 100 of 20000 tasks, 2.3/s, 2.4 h left'],
    [{ done: 10, of: 1000, unit: 'chunks' }, 1, '[....................] 10 of 1000 chunks, 1/s, 17 min left'],
    [{ done: 5000, of: null, unit: 'files' }, 50, '5000 files, 50/s'],
    [{ done: 0, of: 0, unit: 'snapshots' }, null, '[####################] 0 of 0 snapshots'],
  ] as const)
    it(text, () => {
      assert.equal(barText(counter, perSecond), text);
    });

  for (const [counter, text] of [
    [{ done: 3, of: 6, unit: 'snapshots' }, 'staging 6 snapshots (3 of 6)'],
    [{ done: 0, of: 1, unit: 'chunks' }, 'staging 6 snapshots (0 of 1 chunks)'],
    [{ done: 1, of: 3, unit: 'tasks' }, 'staging 6 snapshots (tasks: 1 done, 0 failed, 2 open)'],
    [undefined, 'staging 6 snapshots'],
  ] as const)
    it(`is plain elsewhere: ${text}`, () => {
      const facts = { tasks: '1 done, 0 failed, 2 open' };
      const progress = { phase: 'staging 6 snapshots', facts, ...(counter !== undefined && { counter }) };
      assert.equal(stepText(progress), text);
    });

  it('has a rate from what was seen of this step, not before some seconds', () => {
    const rate = new StepRate();
    assert.equal(rate.perSecond('draining', 4, 0), null);
    assert.equal(rate.perSecond('draining', 8, 1_000), null);
    assert.equal(rate.perSecond('draining', 24, 10_000), 2);
    assert.equal(rate.perSecond('staging', 5, 11_000), null, 'another step begins from nothing');
    assert.equal(rate.perSecond('staging', 5, 21_000), null, 'nothing was done');
    assert.equal(rate.perSecond('staging', 3, 22_000), null, 'less than before: begun again');
    assert.equal(rate.perSecond('staging', 13, 32_000), 1);
  });
});

describe('--quiet', () => {
  /** What a command writes that says, shows progress and prints. */
  function written(...words: readonly string[]): string[] {
    const script = `
      import { telemetryProgram } from './src/program.ts';
      import { print, say, showStatus } from './src/commands/terminal.ts';
      const program = telemetryProgram();
      const command = program.commands.find((each) => each.name() === 'follow');
      command.action(() => { say('a remark'); showStatus('progress'); print('the result'); });
      await program.parseAsync(${JSON.stringify(words)}, { from: 'user' });`;
    const node = [process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }] as const;
    const { stdout, stderr, status } = spawnSync(...node);
    assert.equal(status, 0, stderr);
    return [stdout, stderr];
  }

  for (const words of [
    ['--quiet', 'follow', '20131029'],
    ['follow', '20131029', '--quiet'],
  ])
    it(`leaves the result of "telemetry ${words.join(' ')}"`, () => {
      assert.deepEqual(written(...words), ['the result\n', '']);
    });

  it('twin: without it remarks and progress are plain lines', () => {
    assert.deepEqual(written('follow', '20131029'), ['the result\n', 'a remark\nprogress\n']);
  });
});
