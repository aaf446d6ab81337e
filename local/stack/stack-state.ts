/** What a stack keeps between two starts in `<directory>/stack.json`: its ports and its credentials. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ObjectStoreCredentials } from './object-store.ts';

export interface StackState {
  /** Process id of the running stack; null after an orderly stop. */
  readonly pid: number | null;
  readonly ports: Readonly<Record<string, number>>;
  readonly credentials: ObjectStoreCredentials;
}

const OWNER_ONLY = 0o600;

/** The remembered state; new credentials and no ports when nothing usable is there. */
export async function readStackState(directory: string): Promise<StackState> {
  const text = await readFile(join(directory, 'stack.json'), 'utf8').catch(() => '{}');
  const known = parsed(text);
  return {
    pid: known.pid ?? null,
    ports: known.ports ?? {},
    credentials: known.credentials ?? {
      accessKeyId: `local${randomBytes(6).toString('hex')}`,
      secretAccessKey: randomBytes(24).toString('base64url'),
    },
  };
}

/** Replaces the state in one step; only the owner may read it. */
export function writeStackState(directory: string, state: StackState): Promise<void> {
  return writePrivately(join(directory, 'stack.json'), `${JSON.stringify(state, null, 2)}\n`);
}

/** Writes a file that only the owner may read, in one step. */
export async function writePrivately(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: OWNER_ONLY });
  await rename(`${file}.new`, file);
}

function parsed(text: string): Partial<StackState> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
