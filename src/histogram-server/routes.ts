/**
 * The histogram server's routes and answers (docs/formats/histogram-server.md 6.2). An answer never repeats
 * anything of its request.
 */
import { type Context, Hono } from 'hono';
import type { LookUpFault, RevisionCache } from './revision-cache.ts';
import type { RevisionFile } from './revision-file.ts';

export interface RouteSettings {
  readonly revisions: RevisionCache;
  /** Where revisions are fetched, for `/health`; null in offline mode. */
  readonly upstream: string | null;
  /** Called with errors that no rule covers. */
  readonly onError: (error: Error) => void;
}

type Body = string | Uint8Array<ArrayBuffer>;
type Headers = Readonly<Record<string, string>>;

/** Headers of every answer. */
export const ANSWER_HEADERS = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' } as const;
const READING = ['GET', 'HEAD'];
const PATHS = ['/histograms', '/histogram_buckets', '/health'];
/** Methods that HTTP's users know, though no path here has them; others get 501. */
const KNOWN_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

const FAULTS: Readonly<Record<LookUpFault, readonly [status: number, text: string]>> = {
  not_a_revision_url: [400, 'Not a revision URL: it must be http(s)://<host>/<repository>/rev/<hexadecimal id>'],
  host_not_allowed: [400, 'The host of the revision URL is not among those that are looked up'],
  bad_repo_path: [400, 'The repository path has parts or characters that are not allowed'],
  repo_not_allowed: [400, 'The repository is not among those that are looked up'],
  bad_revision_id: [400, 'The revision id is too short or too long'],
  broken_file: [
    500,
    'The Histograms.json of this revision in the definition folder is broken; the log names file and place',
  ],
  not_found: [404, 'There is no Histograms.json of this revision'],
  bad_content: [502, 'The upstream answered with something that is not a Histograms.json'],
  failed: [502, 'The upstream answered with an error'],
  unreachable: [502, 'The upstream cannot be reached'],
  timed_out: [504, 'The upstream did not answer in time'],
};

export function histogramRoutes({ revisions, upstream, onError }: RouteSettings): Hono {
  const app = new Hono({ strict: true });
  const startedAt = performance.now();
  const answered: Record<string, number> = {};

  /** Counts by status, for `/health`. */
  function answer(status: number, body: Body, headers?: Headers): Response {
    answered[status] = (answered[status] ?? 0) + 1;
    return new Response(body, { status, headers: { ...ANSWER_HEADERS, ...headers } });
  }
  const error = (status: number, text: string, headers?: Headers): Response =>
    answer(status, JSON.stringify({ error: text }), headers);

  const lookingUp = (of: (file: RevisionFile) => Response) => async (context: Context) => {
    const url = context.req.query('revision');
    if (url === undefined || url === '') return error(400, 'Must provide a revision URL');
    const { file, fault } = await revisions.find(url);
    return file === undefined ? error(...FAULTS[fault]) : of(file);
  };

  app.get(
    '/histograms',
    lookingUp(({ histograms }) => answer(200, histograms)),
  );
  app.get(
    '/histogram_buckets',
    lookingUp(({ buckets: { body, skippedHeader } }) =>
      answer(200, body, skippedHeader === '' ? undefined : { 'x-skipped-histograms': skippedHeader }),
    ),
  );
  app.get('/health', () =>
    answer(
      200,
      JSON.stringify({
        status: 'ok',
        uptimeSeconds: Math.floor((performance.now() - startedAt) / 1000),
        upstream: upstream ?? 'none',
        revisionsInMemory: revisions.inMemory,
        lookUps: revisions.counts,
        answers: answered,
      }),
    ),
  );
  app.notFound((context) => {
    const { method, path } = context.req;
    if (READING.includes(method)) return error(404, 'Not Found');
    if (!KNOWN_METHODS.includes(method)) return error(501, 'Method not implemented');
    return PATHS.includes(path) ? error(405, 'Method not allowed', { allow: 'GET, HEAD' }) : error(404, 'Not Found');
  });
  app.onError((cause) => {
    onError(cause);
    return error(500, 'Internal error');
  });
  return app;
}
