/**
 * Whether histogram definitions of new revisions are available. Without them the data set is published anyway, flagged.
 */
import { ok, type Look, type SetupItem } from './item.ts';
import { errorText } from './run-items.ts';

export interface DefinitionSources {
  /** Folder of definitions. */
  readonly folder: string | undefined;
  /** `in-process`, or the address of a histogram server. */
  readonly server: string | undefined;
  /** Address with placeholders, or `none`; asked by this process only when `server` is `in-process`. */
  readonly upstream: string;
}

const ANSWER_MS = 10_000;

/** Never more than a warning. */
export function definitionSourceItem(sources: DefinitionSources): SetupItem {
  return {
    name: 'histogram definitions',
    look: async (signal) => {
      const address = addressOf(sources);
      const folder = sources.folder === undefined ? [] : [`folder ${sources.folder}`];
      if (address === null) return folder.length === 0 ? NO_SOURCE : ok(...folder);
      try {
        return ok(...folder, `${address.origin} answers ${await statusOf(address, signal)}`);
      } catch (error) {
        const cause = errorText((error as Error).cause ?? error);
        return { state: 'warning', facts: [...folder, `${address.origin} cannot be reached: ${cause}`, LATER] };
      }
    },
  };
}

const LATER = 'measures of new revisions are published with derived definitions, and looked up again by later runs';
const NO_SOURCE: Look = {
  state: 'warning',
  facts: [
    'all are derived and flagged, by the settings of this command: set TELEMETRY_HISTOGRAM_SERVER or TELEMETRY_DEFINITIONS where "telemetry worker" is started',
  ],
};

/** What to ask: a histogram server's own health, or the upstream's first page; null when nothing is asked. */
function addressOf({ server, upstream }: DefinitionSources): URL | null {
  if (server === undefined) return null;
  if (server !== 'in-process') return new URL('/health', server);
  return upstream === 'none' ? null : new URL('/', upstream.replaceAll(/\{\w+\}/g, 'x'));
}

/** Any answer shows that the server is there. */
async function statusOf(address: URL, signal: AbortSignal): Promise<number> {
  const response = await fetch(address, {
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
  });
  await response.body?.cancel();
  return response.status;
}
