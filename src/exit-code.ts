/** How a command ends: its exit code, and what is said of an error. */
import { CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { visibleText } from './pipeline/plain-text.ts';

/** Runs the command that the arguments name. An error is one sentence, which says what to do; its stack comes with `--verbose`. */
export async function runToExitCode(program: CommandUnknownOpts): Promise<void> {
  process.stdout.on('error', endWithReader);
  try {
    await program.parseAsync();
  } catch (error) {
    // Commander has written its own messages, and those of `--help` and `--version` are no errors.
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    const { endOf } = await import('./commands/end-of-command.ts');
    const { message, exitCode } = endOf(error);
    process.exitCode = exitCode;
    const stack = program.opts()['verbose'] === true && error instanceof Error ? `\n${error.stack ?? ''}` : '';
    process.stderr.write(`${visibleText(message + stack)}\n`);
  }
}

/** Whoever reads the output, such as `head`, may have all that is wanted before the end. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  // What runs beside a command that takes signals is ended by it.
  if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
  else process.exit();
}
