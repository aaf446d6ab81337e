/**
 * One publication of the website: fetch, compare, guard, write. No lock is held: the memory of what was published is
 * replaced last and only if it is still the one that was read, so of two updates at the same time one fails, and its next
 * attempt finds and fixes whatever the other one left.
 */
import { lookup } from 'mrmime';
import pMap from 'p-map';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { stateKeys } from '../state/keys.ts';
import { checkDeletions, checkPresent, checkSource } from './rules/guards.ts';
import { websiteHeaders } from './rules/headers.ts';
import { parseMemory, serialiseMemory, type WebsiteMemory } from './rules/memory.ts';
import { type PlannedFile, planWebsite, type PublishedFile, type SiteObject } from './rules/plan.ts';
import { isHidden, type Skipped } from './rules/site-path.ts';
import { overlap, placeName } from './rules/target.ts';
import { ObjectMissingError, type ObjectStore, PassingError, PreconditionFailedError } from '../ports.ts';
import { inWorkFolder } from '../work-folder.ts';
import type { ActivityPorts, FetchedFile } from '../activities/ports.ts';
import { inflatedText } from '../state/documents.ts';

export interface WebsitePublication {
  /** `unchanged`: the site is the source already; `planned`: a dry run, the counts say what would be done. */
  readonly outcome: 'published' | 'unchanged' | 'planned';
  /** Commit of a repository, or `sha256:…` of a folder's content. */
  readonly revision: string;
  readonly uploaded: number;
  readonly deleted: number;
  readonly unchanged: number;
  readonly skipped: Skipped;
  /** The first names in the order of the work, each cut to a readable length; the counts are complete. */
  readonly firstUploaded: readonly string[];
  readonly firstDeleted: readonly string[];
  /** Why what was known of the site could not be read, so that everything was uploaded; null when it could. */
  readonly memoryDamage: string | null;
}

/** For heartbeats and terminals. */
export interface WebsiteProgress {
  step: string;
  uploaded: number;
  deleted: number;
}

const TRANSFERS_AT_ONCE = 16;
const DELETES_PER_CALL = 100;
const NAMED = 10;
const NAMED_CHARACTERS = 120;

type Ports = Pick<ActivityPorts, 'analysis' | 'published' | 'website'> & {
  readonly settings: Pick<ActivityPorts['settings'], 'publishedPrefix' | 'workDirectory'>;
};

/**
 * Makes the site what its source is. Everything is checked before the first write; assets are written before pages, and
 * deletions come last.
 * @throws InvalidDataError `website_source`, `website_refused`: nothing was written, and a person must decide
 */
export async function publishSite(
  ports: Ports,
  { force, dryRun }: { readonly force: boolean; readonly dryRun: boolean },
  progress: WebsiteProgress,
  signal: AbortSignal,
): Promise<WebsitePublication> {
  const { analysis, website } = ports;
  const { source, limits } = website;
  const site = siteName(ports);
  if (source === null) throw new InvalidDataError('website_source', 'No website source is configured');
  return inWorkFolder(ports.settings.workDirectory, async (work) => {
    const fetched = await source.fetch(work, signal);
    checkSource(fetched.files, limits);
    progress.step = 'comparing';
    const { etag, memory, damage } = await readMemory(analysis, site, signal);
    const present = await listSite(website, site, signal);
    const plan = planWebsite(fetched.files, present, memory?.files ?? new Map<string, PublishedFile>(), headersOf);
    if (!force) checkDeletions(plan.deletions, present.size, limits);

    const uploads = [...plan.assets, ...plan.pages];
    const writes = uploads.length + plan.deletions.length;
    if (!dryRun && (writes > 0 || memory?.revision !== fetched.revision)) {
      progress.step = 'publishing';
      const files = new Map(plan.unchanged);
      for (const stage of [plan.assets, plan.pages]) await upload(website, stage, files, progress, signal);
      for (let start = 0; start < plan.deletions.length; start += DELETES_PER_CALL) {
        const paths = plan.deletions.slice(start, start + DELETES_PER_CALL);
        await website.site.delete(
          paths.map((path) => website.prefix + path),
          signal,
        );
        progress.deleted += paths.length;
      }
      await remember(analysis, etag, { site, revision: fetched.revision, files }, signal);
    }
    return {
      outcome: writes === 0 ? 'unchanged' : dryRun ? 'planned' : 'published',
      revision: fetched.revision,
      uploaded: uploads.length,
      deleted: plan.deletions.length,
      unchanged: plan.unchanged.size,
      skipped: fetched.skipped,
      firstUploaded: named(uploads.map(({ path }) => path)),
      firstDeleted: named(plan.deletions),
      memoryDamage: damage,
    };
  });
}

/** The configuration refuses such a target too; this check also covers sites from elsewhere. */
function siteName({ website, published, settings }: Ports): string {
  const site = { bucket: website.site.bucket, prefix: website.prefix };
  const dataSet = { bucket: published.bucket, prefix: settings.publishedPrefix };
  if (!overlap(site, dataSet)) return placeName(site);
  throw new InvalidDataError(
    'website_refused',
    `The website is not published: ${placeName(site)} is not apart from the data set in ${placeName(dataSet)}`,
  );
}

/** Objects of the site by path; hidden ones, such as `.well-known/…`, belong to others. */
async function listSite(
  { site: store, prefix }: ActivityPorts['website'],
  site: string,
  signal: AbortSignal,
): Promise<Map<string, SiteObject>> {
  const present = new Map<string, SiteObject>();
  for await (const { key, etag, size } of store.objects(prefix, signal)) {
    const path = key.slice(prefix.length);
    if (path === '' || isHidden(path)) continue;
    present.set(path, { etag, size });
    checkPresent(present.size, site);
  }
  return present;
}

async function upload(
  { site, prefix }: ActivityPorts['website'],
  planned: readonly PlannedFile<FetchedFile>[],
  published: Map<string, PublishedFile>,
  progress: WebsiteProgress,
  signal: AbortSignal,
): Promise<void> {
  await pMap(
    planned,
    async ({ path, location, size, sha256, contentType, cacheControl }) => {
      const headers = { contentType, cacheControl };
      const { etag } = await site.put(prefix + path, { path: location, size }, headers, signal);
      published.set(path, { etag, size, sha256, ...headers });
      progress.uploaded += 1;
    },
    { concurrency: TRANSFERS_AT_ONCE },
  );
}

interface KnownSite {
  /** Of the stored memory; undefined when there is none. */
  readonly etag: string | undefined;
  /** Undefined when nothing is known of this site. */
  readonly memory: WebsiteMemory | undefined;
  readonly damage: string | null;
}

async function readMemory(analysis: ObjectStore, site: string, signal: AbortSignal): Promise<KnownSite> {
  let etag: string | undefined;
  try {
    const stored = await analysis.get(stateKeys.website, { signal });
    etag = stored.etag;
    const memory = parseMemory(inflatedText(stored.body));
    return { etag, memory: memory.site === site ? memory : undefined, damage: null };
  } catch (error) {
    if (error instanceof ObjectMissingError) return { etag: undefined, memory: undefined, damage: null };
    if (etag !== undefined && error instanceof InvalidDataError)
      return { etag, memory: undefined, damage: error.message };
    throw error;
  }
}

/** @throws PassingError when another update was quicker; a retry fixes a mixed site */
async function remember(
  analysis: ObjectStore,
  etag: string | undefined,
  memory: WebsiteMemory,
  signal: AbortSignal,
): Promise<void> {
  const body = Buffer.from(serialiseMemory(memory));
  const headers = { contentType: 'application/json' };
  try {
    if (etag !== undefined) await analysis.replace(stateKeys.website, etag, body, headers, signal);
    else if ((await analysis.createOnce(stateKeys.website, body, headers, signal)) === 'exists') throw overtaken();
  } catch (error) {
    if (!(error instanceof PreconditionFailedError) && !(error instanceof ObjectMissingError)) throw error;
    throw overtaken(error);
  }
}

function overtaken(cause?: Error): PassingError {
  return new PassingError('Another website update ended while this one wrote; the site may be a mixture', {
    cause,
  });
}

function headersOf(path: string): ReturnType<typeof websiteHeaders> {
  return websiteHeaders(path, mediaType);
}

/** The table is a plain object, which has members such as `constructor` too. */
function mediaType(extension: string): string | undefined {
  const type: unknown = lookup(extension);
  return typeof type === 'string' ? type : undefined;
}

function named(paths: readonly string[]): string[] {
  return paths.slice(0, NAMED).map((path) => path.slice(0, NAMED_CHARACTERS));
}
