/** What each file of the website is served with: its content type, and how long a browser may keep it. */

export interface WebsiteHeaders {
  readonly contentType: string;
  readonly cacheControl: string;
}

/** Pages are asked for again soon; what they load may be as old as the cache of a visitor who was there before. */
const PAGE_SECONDS = 60;
/** Code and data, `v1/telemetry.js` among them: names stay the same when contents change. */
const CODE_SECONDS = 300;
const MEDIA_SECONDS = 86_400;

/** Types that the media type tables of most libraries lack. */
const MORE_TYPES: ReadonlyMap<string, string> = new Map([
  ['ico', 'image/x-icon'],
  ['eot', 'application/vnd.ms-fontobject'],
]);

/**
 * Always gives a type, so that no browser has to guess one (browsers sniff objects without one).
 * @param typeOf media type of a lower-case file name extension, without parameters
 */
export function websiteHeaders(path: string, typeOf: (extension: string) => string | undefined): WebsiteHeaders {
  const extension = extensionOf(path);
  const type = extension === '' ? undefined : (MORE_TYPES.get(extension) ?? typeOf(extension));
  return {
    contentType: type === undefined ? 'application/octet-stream' : isText(type) ? `${type}; charset=utf-8` : type,
    cacheControl: `public, max-age=${maxAgeSeconds(path, type ?? '')}`,
  };
}

/** Pages refer to everything else: they are uploaded last and deleted first. */
export function isPage(path: string): boolean {
  return ['html', 'htm', 'xhtml'].includes(extensionOf(path));
}

function maxAgeSeconds(path: string, type: string): number {
  if (isPage(path)) return PAGE_SECONDS;
  return /^(?:image|font|audio|video)\/|fontobject$/.test(type) ? MEDIA_SECONDS : CODE_SECONDS;
}

function isText(type: string): boolean {
  return /^text\/|^application\/(?:json|javascript|xml)$|\+(?:json|xml)$/.test(type);
}

function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
}
