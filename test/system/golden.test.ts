/** The original's own output as the oracle: a real submission file of 2013 through the whole demo. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { comparePublished } from '../golden/compare-published.ts';
import { filesOfTar } from '../golden/tar.ts';
import { runToEnd } from './deployment.ts';

const data = resolve('../shared/data');
const KEY = 'saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.v2.log.0ab8723b6fb3455bb34b04d97482fda2.lzma';

it(
  'demo publishes what the original published',
  { skip: existsSync(data) ? false : 'real data is not here (../shared/data)' },
  async () => {
    const work = await mkdtemp(join(tmpdir(), 'golden-'));
    try {
      const submission = join(work, 'submissions', KEY);
      const definitions = join(work, 'definitions/mozilla-central/518f5bff0ae4/Histograms.json');
      for (const path of [submission, definitions]) await mkdir(dirname(path), { recursive: true });
      await cp(join(data, 'real/ss-ff-n-28.lzma'), submission);
      await cp(join(data, 'real/Histograms.518f5bff0ae4.json'), definitions);
      const exported = join(work, 'exported');
      const { code, stdout, stderr } = await runToEnd(
        process.execPath,
        [
          resolve('local/cli.ts'),
          'demo',
          '--once',
          '--submissions',
          join(work, 'submissions'),
          '--definitions',
          join(work, 'definitions'),
          '--export',
          exported,
          '--directory',
          join(work, 'stack'),
        ],
        process.env,
      );
      assert.equal(code, 0, stderr);
      assert.match(stdout, /submissions +4\n/);
      const original = new Map(
        [...filesOfTar(gunzipSync(await readFile(join(data, 'golden/published-28.tar.gz'))))]
          .filter(([name]) => name.includes('-28-nightly/'))
          .map(([name, text]) => [basename(name), text]),
      );
      const versions = JSON.parse(await readFile(join(exported, 'versions.json'), 'utf8')) as Record<string, string>;
      const folder = join(exported, versions['nightly/28'] ?? '');
      const ours = new Map<string, string>();
      for (const name of await readdir(folder)) ours.set(name, await readFile(join(folder, name), 'utf8'));
      assert.ok(original.size > 900);
      assert.deepEqual(comparePublished(original, ours), []);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  },
);
