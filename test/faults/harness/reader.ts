/**
 * A reader of the published space in a process of its own: looks at versions.json all the time and fetches what it names.
 * What it must never see: a commit that is not whole, one that changes, one that goes back, or a file that is not there.
 * Started by `watchPublished`; ends at SIGTERM with its account as JSON on standard output.
 */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { createObjectStores } from '../../../src/aws/s3.ts';

export interface ReaderAccount {
  readonly observations: number;
  readonly seqs: readonly number[];
  readonly files: number;
  readonly problems: readonly string[];
}

const INTERVAL_MS = 50;
const [endpoint = '', publishedBucket = '', analysisBucket = '', prefix = ''] = process.argv.slice(2);
const stores = createObjectStores({ region: 'us-west-2', endpoint });
const published = stores.bucket(publishedBucket);
const analysis = stores.bucket(analysisBucket);

const wholeFolders = new Set<string>();
const seen = new Map<number, string>();
const problems: string[] = [];
let observations = 0;
let files = 0;
let lastEtag = '';
const stopping = new AbortController();
process.on('SIGTERM', () => {
  stopping.abort();
});
while (!stopping.signal.aborted) {
  await look().catch((error: unknown) => problems.push(String(error)));
  await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
}
const account: ReaderAccount = { observations, seqs: [...seen.keys()], files, problems };
process.stdout.write(JSON.stringify(account), () => process.exit(0));

async function look(): Promise<void> {
  const { etag, body } = await published.get(`${prefix}versions.json`);
  observations += 1;
  if (etag === lastEtag) return;
  lastEtag = etag;
  const text = inflated(body);
  const { $head: head, ...folders } = JSON.parse(text) as { $head: { seq: number; ledger: string } } & Record<
    string,
    string
  >;
  const newest = Math.max(-1, ...seen.keys());
  if (head.seq < newest) problems.push(`commit ${head.seq} came after commit ${newest}`);
  if (seen.has(head.seq) && seen.get(head.seq) !== text) problems.push(`commit ${head.seq} was seen with two contents`);
  seen.set(head.seq, text);
  const ledger = JSON.parse(inflated((await analysis.get(head.ledger)).body)) as {
    seq: number;
    channelVersions: Record<string, { folder: string }>;
  };
  const wanted = Object.entries(ledger.channelVersions).map(([name, { folder }]) => `${name}=${folder}`);
  const named = Object.entries(folders).map(([name, folder]) => `${name}=${folder}`);
  if (ledger.seq !== head.seq || wanted.sort().join() !== named.sort().join()) {
    problems.push(`commit ${head.seq} is mixed: the pointer names ${named.join(' ')}, its ledger ${wanted.join(' ')}`);
  }
  for (const folder of Object.values(folders)) await readFolder(folder);
}

async function readFolder(folder: string): Promise<void> {
  if (wholeFolders.has(folder)) return;
  const manifest = JSON.parse(inflated((await published.get(`${prefix}${folder}/_manifest.json`)).body)) as {
    files: { name: string; sha256: string }[];
  };
  for (const { name, sha256 } of manifest.files) {
    const { body } = await published.get(`${prefix}${folder}/${name}`);
    files += 1;
    const found = createHash('sha256').update(body).digest('hex');
    if (found !== sha256) problems.push(`${folder}/${name} has not the bytes that its manifest names`);
  }
  wholeFolders.add(folder);
}

function inflated(body: Buffer): string {
  return (body[0] === 0x1f ? gunzipSync(body) : body).toString('utf8');
}
