/** The units of deploy/systemd: what they start exists, and they stop it as it wants to be stopped. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { environmentSchema } from '../../src/settings.ts';

const folder = resolve('deploy/systemd');
const names = readdirSync(folder);

/** Values by key, of a section: `Service`. */
function section(name: string, which: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  let current = '';
  for (const line of readFileSync(resolve(folder, name), 'utf8').split('\n')) {
    const title = /^\[(\w+)\]$/.exec(line)?.[1];
    if (title !== undefined) current = title;
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined && current === which)
      values.set(key, [...(values.get(key) ?? []), value]);
  }
  return values;
}

describe('deploy/systemd', () => {
  for (const name of names.filter((each) => each.endsWith('.service'))) {
    it(`${name} starts a command of the application, with settings that exist`, () => {
      const service = section(name, 'Service');
      const [, command = ''] = /^\/usr\/bin\/node src\/cli\.ts (\S+)$/.exec(service.get('ExecStart')?.[0] ?? '') ?? [];
      assert.equal(`telemetry-${command}.service`, name);
      const help = execFileSync(process.execPath, ['src/cli.ts', command, '--help'], { encoding: 'utf8' });
      assert.ok(help.startsWith(`Usage: telemetry ${command} `), help.slice(0, 80));
      for (const variable of service.get('Environment') ?? [])
        assert.ok((variable.split('=')[0] ?? '') in environmentSchema.shape, variable);
      if (service.get('Type')?.[0] === 'oneshot') return;
      assert.deepEqual(service.get('Restart'), ['always']);
      assert.ok(
        Number(service.get('TimeoutStopSec')?.[0]) >
          2 * environmentSchema.shape.TELEMETRY_SHUTDOWN_GRACE_SECONDS.parse(undefined),
      );
    });
  }

  it('has a timer for the watchdog', () => {
    assert.ok(names.includes('telemetry-check.timer'));
    assert.deepEqual(section('telemetry-check.timer', 'Timer').get('OnCalendar'), ['*:0/15']);
  });
});
