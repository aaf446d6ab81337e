/** `temporal`: the Temporal CLI that the embedded stack uses, pointed at that stack. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { environment } from '../src/environment.ts';
import { findBinary } from './stack/binaries.ts';
import { binarySources } from './directories.ts';
import { say } from '../src/commands/terminal.ts';

export async function temporalCli(args: readonly string[]): Promise<void> {
  const cli = await findBinary('temporal', binarySources(), say);
  const child = spawn(cli, args, { stdio: 'inherit', env: environment() });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
}
