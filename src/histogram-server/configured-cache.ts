/** The revision caches as the configuration wants them: the histogram server's, and the publish stage's. */
import type { Config } from '../config.ts';
import type { Logger } from '../observability.ts';
import { DefinitionFolder } from './definition-folder.ts';
import { DiskCache } from './disk-cache.ts';
import { type LookUpListener, RevisionCache, type RevisionSources } from './revision-cache.ts';
import { HttpUpstream } from './upstream.ts';

/** A larger Histograms.json is refused. */
const MAX_HISTOGRAMS_BYTES = 16 << 20;
const REVISIONS_IN_MEMORY = 50;
/** A histogram server needs the upstream's time for a revision, and a little more. */
const SERVER_MARGIN_MS = 5_000;
/** The histogram server has its own memory of failures; this one keeps a run from asking for each measure again. */
const FORGET_SERVER_AFTER = { notFoundMs: 60_000, failureMs: 60_000 };

/** Everything: definition folder, disk cache, upstream unless it is `none`. */
export function serverRevisionCache(config: Config, logger?: Logger): RevisionCache {
  const sources: RevisionSources = {
    folder: definitionFolder(config),
    disk: new DiskCache(config.TELEMETRY_HISTOGRAM_CACHE),
    upstream:
      config.TELEMETRY_HISTOGRAM_UPSTREAM === 'none'
        ? null
        : new HttpUpstream({
            template: config.TELEMETRY_HISTOGRAM_UPSTREAM,
            allowPrivate: config.TELEMETRY_HISTOGRAM_UPSTREAM_PRIVATE,
            maxBytes: MAX_HISTOGRAMS_BYTES,
            timeoutMs: config.TELEMETRY_HISTOGRAM_UPSTREAM_SECONDS * 1000,
          }),
  };
  return new RevisionCache(sources, settings(config), logging(logger));
}

/**
 * For the publish stage: the definition folder, then what `TELEMETRY_HISTOGRAM_SERVER` names.
 * @returns null when the configuration has no source of definitions
 */
export function publishRevisionCache(config: Config, logger?: Logger): RevisionCache | null {
  const { TELEMETRY_HISTOGRAM_SERVER: server } = config;
  if (server === 'in-process') return serverRevisionCache(config, logger);
  const folder = definitionFolder(config);
  if (server === undefined) {
    return folder === null
      ? null
      : new RevisionCache({ folder, disk: null, upstream: null }, settings(config), logging(logger));
  }
  const upstream = new HttpUpstream({
    template: `${server.replace(/\/+$/, '')}/histograms?revision={url}`,
    // The operator set this address, which is usually on this machine.
    allowPrivate: true,
    maxBytes: MAX_HISTOGRAMS_BYTES,
    timeoutMs: config.TELEMETRY_HISTOGRAM_UPSTREAM_SECONDS * 1000 + SERVER_MARGIN_MS,
    retriesStatus: false,
  });
  const withMemory = { ...settings(config), forgetAfter: FORGET_SERVER_AFTER };
  return new RevisionCache({ folder, disk: null, upstream }, withMemory, logging(logger));
}

function definitionFolder({ TELEMETRY_DEFINITIONS: folder }: Config): DefinitionFolder | null {
  return folder === undefined ? null : new DefinitionFolder(folder);
}

function settings(config: Config) {
  return {
    rules: {
      hosts: config.TELEMETRY_REVISION_HOSTS,
      repos: config.TELEMETRY_REVISION_REPOS,
      minHexDigits: config.TELEMETRY_REVISION_MIN_DIGITS,
    },
    inMemory: REVISIONS_IN_MEMORY,
  };
}

/** Repository and revision have passed the rules, so they are safe to log; the URL is not. */
function logging(logger: Logger | undefined): LookUpListener {
  if (logger === undefined) return () => undefined;
  return ({ repo, revision }, event) => {
    switch (event.event) {
      case 'fetched':
        logger.info({ repo, revision, bytes: event.bytes }, 'revision fetched');
        return;
      case 'failed':
        logger.warn({ repo, revision, fault: event.fault }, 'revision not obtained');
        return;
      case 'broken_file':
        logger.error({ repo, revision, detail: event.detail }, 'broken definition file');
        return;
      case 'corrupt_entry':
        logger.warn({ repo, revision }, 'corrupt cache entry deleted');
        return;
      default:
        logger.warn({ repo, revision, err: event.error, source: event.event }, 'definition file not accessible');
    }
  };
}
