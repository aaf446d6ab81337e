/** What the system shows about a process that is not ours. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** The command line, or null when there is no such process. */
export async function commandLine(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') return ps(pid, 'command=');
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text === '' ? null : text.replaceAll('\0', ' ').trim();
}

function ps(pid: number, column: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile('ps', ['-o', column, '-p', String(pid)], (error, output) => {
      const text = output.trim();
      resolve(error !== null || text === '' ? null : text);
    });
  });
}
