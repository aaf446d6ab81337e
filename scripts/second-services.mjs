/** The second run of system and fault tests: on other implementations of S3 and SQS, where this machine can have them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folder → a text that marks its files that work on the services of a stack. */
const MARKS = { system: 'Deployment.start(', operations: 'Deployment.start(', faults: 'smoke: ' };
/** About the image and its health checks, whatever it runs on. */
const EMBEDDED_ONLY = ['image.test.ts'];

/** Groups of files as `runTests` has them. */
export function secondGroups(root) {
  return Object.entries(MARKS).flatMap(([folder, mark]) => {
    const files = testFiles(join(root, 'test', folder)).filter(
      (file) => !EMBEDDED_ONLY.includes(file) && readFileSync(join(root, 'test', folder, file), 'utf8').includes(mark),
    );
    const globs = files.map((file) => `test/${folder}/${file}`);
    return files.length === 0
      ? []
      : [{ name: `${folder} on the second services`, globs, services: 'second', faults: 'smoke' }];
  });
}

/** Names of the test files in a folder. */
export function testFiles(folder) {
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.test.ts'))
        .sort()
    : [];
}

/**
 * Fetches and builds them at low priority, which takes two minutes the first time on a machine.
 * Resolves with `{state, reason}`: `ready`, `missing` when a tool for it is not on this machine, otherwise `failed`.
 */
export async function prepareSecondServices({ root, node, work }) {
  const answer = join(work, 'second-services');
  const code = await node([join(root, 'test', 'second-services', 'prepare.ts'), answer]);
  if (!existsSync(answer)) return { state: 'failed', reason: `it ended with exit code ${code}` };
  return JSON.parse(readFileSync(answer, 'utf8'));
}
