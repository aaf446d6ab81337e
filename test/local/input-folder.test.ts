/** `--submissions DIR`: the embedded input bucket holds exactly the folder's files. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { mirrorInputFolder } from '../../local/input-folder.ts';
import { CallTrace } from '../fakes/call-trace.ts';
import { MemoryObjectStore } from '../fakes/memory-object-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'telemetry-input-folder-'));
after(() => {
  rmSync(folder, { recursive: true });
});

describe('a folder of submissions', () => {
  const bucket = new MemoryObjectStore('input', new CallTrace());
  const file = (name: string, text: string): void => {
    mkdirSync(join(folder, 'app'), { recursive: true });
    writeFileSync(join(folder, 'app', name), text);
  };

  it('is uploaded, and left as it is when nothing changed', async () => {
    file('a', 'one');
    file('b', 'two');
    assert.deepEqual(await mirrorInputFolder(folder, bucket), { files: 2, uploaded: 2, removed: 0 });
    assert.deepEqual(await mirrorInputFolder(folder, bucket), { files: 2, uploaded: 0, removed: 0 });
  });

  it('has a changed file of equal length uploaded, and what is gone removed', async () => {
    file('a', 'eno');
    rmSync(join(folder, 'app', 'b'));
    assert.deepEqual(await mirrorInputFolder(folder, bucket), { files: 1, uploaded: 1, removed: 1 });
    assert.deepEqual([bucket.keys(), bucket.text('app/a')], [['app/a'], 'eno']);
  });

  it('is uploaded where the store’s ETag is no hash of the content', async () => {
    const stored = bucket.contents.get('app/a') ?? assert.fail('not stored');
    bucket.contents.set('app/a', { ...stored, etag: '"0123456789abcdef0123456789abcdef-2"' });
    assert.equal((await mirrorInputFolder(folder, bucket)).uploaded, 1);
  });
});
