/**
 * `verify`: walks what is published and the state behind it, and reports for every invariant that the two buckets can
 * show (docs/protocol.md 3) whether it holds. It reads only. A publish may go on meanwhile: when versions.json has
 * changed at the end and something was found, the walk starts again.
 */
import type { VerifyOptions, VerifyPorts, VerifyReport } from './verification.ts';
import { publishedNames } from '../state/keys.ts';
import { checkChannelVersions } from './channel-versions.ts';
import { checkCommits } from './commits.ts';
import { isStillHead, readHead } from './head.ts';
import { checkInputFiles } from './input-files.ts';
import { checkQuarantine, checkUnreferenced } from './leftovers.ts';
import { checkRecentFolders } from './published-folders.ts';
import { checkRuns } from './runs.ts';
import { checkStoredSlots } from './slot-objects.ts';
import { Walk } from './walk.ts';

const WALKS = 3;

/**
 * Rejects only when a store cannot be reached or the signal aborts, never because of stored content. Memory is that of
 * the ledger and one packed list of input files for each of its days; folders and segments pass through
 * `workDirectory`.
 */
export async function verifyDataSet(
  ports: VerifyPorts,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<VerifyReport> {
  for (let walks = 1; ; walks += 1) {
    const { report, moved } = await walkOnce(new Walk(ports, options, signal));
    if (!moved || report.errors === 0 || walks === WALKS) return report;
  }
}

async function walkOnce(walk: Walk): Promise<{ report: VerifyReport; moved: boolean }> {
  const versions = walk.publishedAddress(publishedNames.versions);
  const pointer = await readHead(walk);
  if (pointer === undefined) {
    await checkQuarantine(walk);
    return { report: walk.report(versions, null), moved: false };
  }
  const { ledger } = pointer;
  const commits = await checkCommits(walk, pointer);
  await checkChannelVersions(walk, pointer, commits);
  await checkRecentFolders(walk, commits, new Set(pointer.versions.folders.values()));
  await checkStoredSlots(walk, ledger, commits);
  await checkRuns(walk, ledger);
  await checkInputFiles(walk, pointer);
  await checkUnreferenced(walk, ledger, commits);
  await checkQuarantine(walk);
  const { seq, commit: id, at } = pointer.versions.head;
  return { report: walk.report(versions, { seq, id, at }), moved: !(await isStillHead(walk, pointer)) };
}
