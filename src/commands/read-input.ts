/** Files that a person names on the command line. */
import { readFile } from 'node:fs/promises';
import { CommandError } from './command-error.ts';

/** @throws CommandError, exit code 2, when the file cannot be read */
export async function readInput(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`, { exitCode: 2 });
  }
}
