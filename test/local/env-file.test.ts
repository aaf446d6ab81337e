/** `.env` is compose's: commands read it only where they are told to, as README says. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'env-file-'));
after(() => {
  rmSync(folder, { recursive: true });
});
writeFileSync(join(folder, '.env'), 'TELEMETRY_THREADS=many\n');

function merge(...options: readonly string[]): string {
  const command = [...options, resolve('src/cli.ts'), 'merge-results', '--input', 'none', '--output', 'merged'];
  const { TELEMETRY_THREADS: _, ...env } = process.env;
  const { stderr, status } = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8', env });
  assert.equal(status, 2, stderr);
  return stderr;
}

describe('a .env file', () => {
  it('is not read by itself', () => {
    assert.doesNotMatch(merge(), /TELEMETRY_THREADS/);
  });

  it('is read with --env-file', () => {
    assert.match(merge('--env-file=.env'), /TELEMETRY_THREADS/);
  });
});
