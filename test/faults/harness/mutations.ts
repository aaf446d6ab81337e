/**
 * Protections that a twin takes out: one piece of the source is replaced while a worker loads it (`mutate.ts`). A fault
 * test whose twin passes as well proves nothing, and one whose text is no longer found fails loudly.
 */
export interface Mutation {
  /** Below `src/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** What is lost. */
  readonly without: string;
}

export const MUTATIONS = {
  deleteBeforeReceipt: {
    file: 'done-queue/consumer.ts',
    find: `    await failpoint('drain.afterReceive', this.#signal);`,
    replace: `    await this.#ports.queues.deleteMessages(this.#queue, messages.map(({ receiptHandle }) => receiptHandle), this.#signal);
    await failpoint('drain.afterReceive', this.#signal);`,
    without: 'a message is deleted only after its receipt exists (I7)',
  },
  unconditionalFlip: {
    file: 'aws/s3.ts',
    find: 'headers, { IfMatch: ifMatch }, signal',
    replace: 'headers, {}, signal',
    without: 'the conditional PUT of versions.json (C8)',
  },
  blindRecommit: {
    file: 'pipeline/dataset/day-replacement.ts',
    find: `sameSegments(ledger, contribution) ? 'no-op' : 'publish'`,
    replace: `sameSegments(ledger, contribution) ? 'publish' : 'publish'`,
    without: 'the look whether the ledger holds the contribution already (C2)',
  },
  receiptOverwritten: {
    file: 'state/receipts.ts',
    find: 'return createDocument(store, stateKeys.receipt(run, number, receipt.outcome), RECEIPT, receipt, signal);',
    replace: `await store.put(stateKeys.receipt(run, number, receipt.outcome), Buffer.from(JSON.stringify(receipt)), {}, signal); return 'created';`,
    without: 'the create-once receipt (D4)',
  },
  noFencing: {
    file: 'pipeline/dataset/day-replacement.ts',
    find: `isLater(current, entry) ? 'superseded' : 'publish'`,
    replace: `isLater(current, entry) ? 'publish' : 'publish'`,
    without: 'the look whether the ledger has a newer run of the day (C2)',
  },
  addingUp: {
    file: 'pipeline/dataset/day-replacement.ts',
    find: `const after = withoutDays(name, before, [day, ...leaving]);`,
    replace: `const after = { base: before?.base ?? null, segments: (before?.segments ?? []).map((old) => old.day === day ? { ...old, day: 'round-' + day } : old) };`,
    without: 'the removal of the earlier contribution of the day (C3)',
  },
  deafDrain: {
    file: 'activities/drain.ts',
    find: 'const signal = cancellationSignal();',
    replace: 'const signal = new AbortController().signal;',
    without: 'the cancellation signal in the calls of the drain',
  },
  localGarbageClock: {
    file: 'state/garbage.ts',
    find: 'if (stored !== undefined) return stored.lastModified;',
    replace: 'if (stored !== undefined) return new Date();',
    without: "the store's clock in garbage collection",
  },
  blockedThread: {
    file: 'threads/merge-results.ts',
    find: 'export async function mergeResults(',
    replace: `const blockedUntil = Date.now() + 8000;
while (Date.now() < blockedUntil);
export async function mergeResults(`,
    without: 'a thread that answers: it is busy for 8 s',
  },
  blockedMainThread: {
    file: 'activities/merge.ts',
    find: `await failpoint('merge.begin', signal);`,
    replace: `const once = globalThis as { blockedUntil?: number };
once.blockedUntil ??= Date.now() + 8000;
while (Date.now() < once.blockedUntil);`,
    without: 'the worker threads: the same work blocks the event loop for 8 s',
  },
  noResend: {
    file: 'activities/send.ts',
    find: 'if (resend) counts.resent =',
    replace: 'if (false as boolean) counts.resent =',
    without: 'sending again what never came back',
  },
  leftWorkFolder: {
    file: 'work-folder.ts',
    find: 'await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 });',
    replace: '',
    without: 'the removal of temporary folders',
  },
  folderByClockAlone: {
    file: 'activities/stage.ts',
    find: 'nextFolderName(channelVersion, new Date(), previousFolder ?? undefined)',
    replace: 'nextFolderName(channelVersion, new Date(), undefined)',
    without: 'folder names that ascend whatever the clock says',
  },
  trustTargetPrefix: {
    file: 'pipeline/done-queue/done-message.ts',
    find: `if (value === expected || value === expected.slice(0, -1)) return expected;`,
    replace: `return String(value);`,
    without: 'the computed prefix (T1)',
  },
  poisonKept: {
    file: 'done-queue/consumer.ts',
    find: 'if (!(await quarantine(this.#ports, entry, this.#signal, this.#budget))) return this.#hold(error.reason);',
    replace: 'void entry;',
    without: 'the quarantine object before the deletion (I7)',
  },
  neverAgain: {
    file: 'aws/s3.ts',
    find: 'return s3Client(connection, 5);',
    replace: 'return s3Client(connection, 1);',
    without: 'the repeated tries of each S3 call',
  },
  endlessRequests: {
    file: 'aws/connection.ts',
    find: `throwOnRequestTimeout: true,
      // That one ends with the head of an answer; a body that stops coming is given up by this one.
      socketTimeout: requestSeconds * 1000,`,
    replace: 'throwOnRequestTimeout: false,',
    without: 'the time-outs of requests that throw',
  },
  endlessBodies: {
    file: 'aws/connection.ts',
    find: 'socketTimeout: requestSeconds * 1000,',
    replace: '',
    without: 'the time-out of bodies that stop coming',
  },
  endlessQuarantine: {
    file: 'state/quarantine-budget.ts',
    find: 'if (this.#marked.size >= this.#perHour) return false;',
    replace: '',
    without: 'the cap of the quarantine (T11)',
  },
  anySegment: {
    file: 'pipeline/safe-segment.ts',
    find: 'SEGMENT.test(text)',
    replace: '(SEGMENT.test(text) || text.length > 0)',
    without: 'the rule for names that become parts of keys (T4)',
  },
  brokenOffBodies: {
    file: 'aws/s3.ts',
    find: `await pipeline(body, file, ...(signal === undefined ? [] : [{ signal }]));
    this.#demandWhole(key, file.bytesWritten, stored);`,
    replace: `await pipeline(body, file, ...(signal === undefined ? [] : [{ signal }])).catch(() => undefined);`,
    without: 'the look whether a body came to its end',
  },
  endlessLines: {
    file: 'threads/result-index.ts',
    find: 'const keys = new CheckedKeys();',
    replace: 'maxLineBytes = 2 ** 40; const keys = new CheckedKeys();',
    without: 'the longest line that is held in memory',
  },
  anyNumber: {
    file: 'kernels/row-kernel.ts',
    find: `return text === '' ? 0 : Number(text);`,
    replace: `return text === '' ? 0 : Math.min(Number(text), 1e300);`,
    without: 'the rule that numbers are finite',
  },
  anyRevisionHost: {
    file: 'histograms/revision-url.ts',
    find: 'if (!rules.hosts.includes(host.toLowerCase()))',
    replace: 'if (rules.hosts.length < 0)',
    without: 'the list of hosts whose revisions are looked up',
  },
  unguardedGet: {
    file: 'histogram-server/guarded-get.ts',
    find: 'const pinned = await checkedAddresses(url, rules, signal);',
    replace: `const taken = await fetch(url, { signal });
  if (taken.status === 200) return { status: 200, body: Buffer.from(await taken.arrayBuffer()) };
  const pinned = await checkedAddresses(url, rules, signal);`,
    without: 'a GET that follows no redirect and bounds the body',
  },
  noCatchUp: {
    file: 'jobs.ts',
    find: `catchupWindow: '4 days'`,
    replace: `catchupWindow: '10 seconds'`,
    without: 'the four days in which a missed run is caught up',
  },
  noWaitingRuns: {
    file: 'jobs.ts',
    find: `overlap: 'BUFFER_ALL',`,
    replace: `overlap: 'SKIP',`,
    without: 'runs that wait until the one before is at its end',
  },
  tellingFailures: {
    file: 'activities/failure-edge.ts',
    find: 'const plain = plainText(text, secrets);',
    replace: 'const plain = secrets.length < 0 ? plainText(text) : text;',
    without: 'the cleaning of failures before they get into the history (T15)',
  },
  toldAgain: {
    file: 'activities/alerts.ts',
    find: 'if (await delivery.isTakenBy(channel.name)) continue;',
    replace: 'await delivery.isTakenBy(channel.name);',
    without: 'the look whether a channel has taken the alert already',
  },
} as const satisfies Record<string, Mutation>;
export type MutationName = keyof typeof MUTATIONS;
