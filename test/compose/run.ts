/**
 * `npm run test:compose`: the services of docker-compose.temporal.yml by their real programs, in network, mount and process
 * namespaces of their own, so that they have the file's names, addresses, ports and paths, and nothing of them is left. Needs
 * Linux, root, and Go, Java, Maven, PostgreSQL, busybox and netcat; without one of them it is skipped, and says so.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ToolMissingError } from '../second-services/kept-build.ts';
import { ROOT } from './compose-file.ts';
import { findImages, versionsOf } from './images.ts';

process.exitCode = await main();

async function main(): Promise<number> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return skipped('it needs Linux and root');
  const work = mkdtempSync(join(tmpdir(), 'compose-'));
  try {
    // Built and fetched before: inside of the namespaces there is no way out.
    const images = await findImages(resolve(ROOT, '.local/cache/second-services'), join(work, 'images'), versionsOf());
    writeFileSync(join(work, 'images.json'), JSON.stringify([...images]));
    const test = join(import.meta.dirname, 'whole-deployment.test.ts');
    const { status } = spawnSync(
      'unshare',
      ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, '--test', test],
      { stdio: 'inherit', env: { ...process.env, TELEMETRY_PRIVATE_MACHINE: work } },
    );
    return status ?? 1;
  } catch (error) {
    if (error instanceof ToolMissingError) return skipped(error.message);
    throw error;
  } finally {
    if (process.env['KEEP'] === undefined) rmSync(work, { recursive: true, force: true });
  }
}

function skipped(reason: string): number {
  process.stdout.write(`skipped: ${reason}\n`);
  return 0;
}
