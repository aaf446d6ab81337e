/** The site that comes with this program as the website's source: built from `website/`, told where the data set is. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FetchedWebsite, WebsiteSource } from '../activities/ports.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { isPage } from './rules/headers.ts';
import { localFolder, revisionOf } from './local-folder.ts';
import { connectSourceOf, renderPage, siteConfig, type SiteAddresses } from './rules/built-in-site.ts';
import { readSourceFiles } from './source-files.ts';

/** Made by `npm run website:build` (`scripts/website.mjs`). */
const BUILT_SITE = fileURLToPath(new URL('../../dist/website', import.meta.url));

/** The pages are rendered for the addresses, and `config.json` names them; all else is as it was built. */
export function builtInSite(addresses: SiteAddresses, folder: string = BUILT_SITE): WebsiteSource {
  return {
    name: 'the built-in site',
    fetch: async (work, signal) => {
      const { files, skipped } = await builtFiles(folder, work, signal);
      const source = connectSourceOf(addresses.dataset);
      for (const { path, location } of files)
        if (isPage(path)) await writeFile(location, renderPage(await readFile(location, 'utf8'), source));
      const site = join(work, 'website');
      await writeFile(join(site, 'config.json'), siteConfig(addresses));
      const rendered = await readSourceFiles(site, signal);
      return { revision: revisionOf(rendered.files), files: rendered.files, skipped };
    },
  };
}

async function builtFiles(folder: string, work: string, signal: AbortSignal): Promise<FetchedWebsite> {
  try {
    return await localFolder(folder).fetch(work, signal);
  } catch (error) {
    if (!(error instanceof InvalidDataError) || error.reason !== 'website_source') throw error;
    throw new InvalidDataError(error.reason, `${error.message}; build the site with npm run website:build`);
  }
}
