/** External processors: any program that reads `key TAB path` lines and leaves its results in a folder, as the job bundles of the original did. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Logger } from '../observability.ts';
import type { SubmissionFile } from '../threads/aggregate-submissions.ts';

const MAX_LOGGED_LINES = 100;

/**
 * Runs `command OUTPUT_FOLDER` by the shell.
 * @param signal ends it, with all that it has started
 * @throws Error when the processor ends with anything but exit code 0
 */
export async function runProcessor(
  command: string,
  files: readonly SubmissionFile[],
  output: string,
  logger: Logger,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn('sh', ['-c', `${command} "$1"`, 'processor', output], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own, so that what the shell has started can be ended with it.
    detached: true,
  });
  const end = (): void => {
    endGroup(child.pid);
  };
  signal?.addEventListener('abort', end);
  for (const stream of [child.stdout, child.stderr]) {
    let lines = 0;
    createInterface({ input: stream }).on('line', (line) => {
      lines += 1;
      if (lines <= MAX_LOGGED_LINES) logger.info({ line: line.slice(0, 1000) }, 'processor output');
    });
  }
  // A processor may end without reading all of its input; its exit code says whether that was right.
  child.stdin.on('error', () => undefined);
  child.stdin.end(files.map(({ key, path }) => `${key}\t${path}\n`).join(''));
  const [code, by] = (await once(child, 'exit').finally(() => signal?.removeEventListener('abort', end))) as [
    number | null,
    NodeJS.Signals | null,
  ];
  signal?.throwIfAborted();
  if (code !== 0)
    throw new Error(`The processor ${JSON.stringify(command)} ended with ${by ?? `exit code ${code ?? '?'}`}`);
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
