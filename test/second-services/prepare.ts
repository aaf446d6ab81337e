/**
 * `prepare.ts ANSWER`: has the second services in the cache at the end, and writes what came of it to the file ANSWER, as
 * `{"state":"ready"|"missing"|"failed","reason":…}`. Gives way to everything else on the machine.
 */
import { writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { ToolMissingError } from './kept-build.ts';
import { secondServices } from './second-services.ts';

const [, , answerFile = ''] = process.argv;
setPriority(constants.priority.PRIORITY_LOW);
await writeFile(answerFile, JSON.stringify(await prepare()));

async function prepare(): Promise<{ state: string; reason: string }> {
  try {
    await secondServices();
    return { state: 'ready', reason: '' };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { state: error instanceof ToolMissingError ? 'missing' : 'failed', reason };
  }
}
