/** `config.json`, beside the page; written when the site is published. */
export interface SiteConfig {
  /** Address of the data set with its prefix. */
  readonly dataSet: string;
  readonly webUi: string | null;
  readonly namespace: string;
}

/**
 * @param page address that the document's own addresses are relative to
 * @throws Error that says what to do
 */
export async function readSiteConfig(page: string): Promise<SiteConfig> {
  const answer = await fetch(new URL('config.json', page), { cache: 'no-cache' });
  if (!answer.ok) throw new Error(`config.json was answered with status ${answer.status}: publish the site again.`);
  const raw = (await answer.json()) as Readonly<Record<string, unknown>>;
  const { dataset, prefix, webUi, namespace } = raw;
  if (typeof dataset !== 'string' || typeof prefix !== 'string')
    throw new Error('config.json does not name the data set: publish the site again.');
  return {
    dataSet: new URL(dataset + prefix, page).href,
    webUi: typeof webUi === 'string' && /^https?:\/\//.test(webUi) ? webUi : null,
    namespace: typeof namespace === 'string' ? namespace : 'default',
  };
}
