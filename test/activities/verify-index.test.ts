/** `verify` and the index of a folder, which folders of earlier releases do not have. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isIndexFile } from '../../src/pipeline/dataset/measure-index.ts';
import { type Application, eachWithApplication, PREFIX } from '../fakes/application.ts';
import { versionsOf } from '../fakes/published-space.ts';
import { found, NIGHTLY, publishTwoDays, rewrite, verifyNow } from '../fakes/verified-space.ts';

describe('verify', () => {
  const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
  const current = (app: Application, name: string): string =>
    `${PREFIX}${versionsOf(app).folders.get(NIGHTLY) ?? ''}/${name}`;

  it('finds nothing wrong with a folder of an earlier release, which has no index', async () => {
    const app = application();
    await publishTwoDays(app);
    const [index, summary] = [current(app, '_measures.json'), current(app, '_summary-0.json')];
    await app.published.delete([index, summary]);
    rewrite(app.published, current(app, '_manifest.json'), (manifest) => ({
      ...manifest,
      files: (manifest['files'] as { name: string }[]).filter(({ name }) => !isIndexFile(name)),
    }));
    const report = await verifyNow(app);
    assert.deepEqual([report.findings, report.counts.rendered], [[], 2]);
  });

  it('finds an index that is not what the segments give', async () => {
    const app = application();
    await publishTwoDays(app);
    const body = gzipSync('{}');
    app.published.store(current(app, '_measures.json'), body);
    rewrite(app.published, current(app, '_manifest.json'), (manifest) => ({
      ...manifest,
      files: (manifest['files'] as { name: string }[]).map((file) =>
        file.name === '_measures.json'
          ? { ...file, bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') }
          : file,
      ),
    }));
    assert.deepEqual(found(await verifyNow(app)), ['error I3 wrong-render']);
  });
});
