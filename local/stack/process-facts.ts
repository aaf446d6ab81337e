/** What the system tells about a process that is not ours. A process id alone proves nothing: ids are used again. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** When the process started, as an opaque text that differs for another process with the same id; null when there is none. */
export async function processStart(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') return ps(pid, 'lstart=');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // The program's name comes second, in brackets, and may itself hold brackets and blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ZOMBIE = 'Z';
  return fields[0] === ZOMBIE ? null : (fields[19] ?? null);
}

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
