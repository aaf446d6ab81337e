/**
 * Simple measurements that browsers have. No definition says which there are, and any name can stand among them in a
 * submission; these are known all the same, so that invented names cannot take their place
 * (docs/formats/published.md 5.11). One that is missing here is published like any measure without a definition.
 */

/** As browsers write them, `object/member` for those inside of an object. */
const NAMES = `
  uptime start main selectProfile afterProfileLocked firstPaint firstLoadURI createTopLevelWindow totalTime
  startupCrashDetectionBegin startupCrashDetectionEnd startupInterrupted debuggerAttached shutdownDuration
  startupSessionRestoreReadBytes startupSessionRestoreWriteBytes startupWindowVisibleReadBytes startupWindowVisibleWriteBytes
  sessionRestoreInitialized sessionRestoreInit sessionRestoreRestoring sessionRestored
  delayedStartupStarted delayedStartupFinished blankWindowShown maximalNumberOfConcurrentThreads
  failedProfileLockCount savedPings activeTicks pingsOverdue pingsDiscarded
  AMI_startup_begin AMI_startup_end XPI_startup_begin XPI_startup_end XPI_finalUIStartup
  XPI_bootstrap_addons_begin XPI_bootstrap_addons_end
  addonManager/XPIDB_syncRead_MS addonManager/XPIDB_asyncRead_MS addonManager/XPIDB_parseDB_MS addonManager/XPIDB_decode_MS
  addonManager/XPIDB_saves_total addonManager/XPIDB_saves_overlapped addonManager/XPIDB_saves_late
  js/setProto js/customIter
`;

const KNOWN: ReadonlySet<string> = new Set(
  NAMES.trim()
    .split(/\s+/)
    .map((name) => `SIMPLE_MEASURES_${name.replace('/', '_').toUpperCase()}`),
);

/** @param measure its published name: `SIMPLE_MEASURES_FIRSTPAINT` */
export function isKnownSimpleMeasure(measure: string): boolean {
  return KNOWN.has(measure);
}
