import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createGzip, gunzipSync } from 'node:zlib';
import { writeLines } from '../../src/threads/line-writer.ts';

const work = mkdtempSync(join(tmpdir(), 'line-writer-'));
after(() => {
  rmSync(work, { recursive: true });
});
const path = join(work, 'lines');
const asIs = (line: string): string => line;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('writeLines', () => {
  for (const [name, lines] of Object.entries<readonly string[]>({
    'no lines': [],
    'an empty line': [''],
    'some lines': ['a', '', 'é\u2028𝌆'],
    'several blocks of lines': Array.from({ length: 20_000 }, (_, number) => `line ${number} ${'é'.repeat(20)}`),
    'a line longer than a block': ['a', 'x'.repeat(1 << 19), 'b'],
  })) {
    it(`writes, counts and hashes ${name}`, async () => {
      const text = lines.map((line) => `${line}\n`).join('');
      const bytes = Buffer.byteLength(text);
      const hash = createHash('sha256');
      const written = await writeLines(path, lines, asIs, { hash });
      assert.deepEqual(written, { lines: lines.length, bytes, storedBytes: bytes });
      assert.equal(readFileSync(path, 'utf8'), text);
      assert.equal(hash.digest('hex'), sha256(text));
    });
  }

  it('tells the text and what is stored apart', async () => {
    const items = Array.from({ length: 1000 }, (_, number) => ({ number }));
    const text = items.map(({ number }) => `${number}\n`).join('');
    const hash = createHash('sha256');
    const { bytes, storedBytes } = await writeLines(path, items, ({ number }) => String(number), {
      hash,
      compress: createGzip(),
    });
    const stored = readFileSync(path);
    assert.deepEqual([bytes, storedBytes], [text.length, stored.length]);
    assert.equal(gunzipSync(stored).toString('utf8'), text);
    assert.equal(hash.digest('hex'), sha256(text));
  });

  it('fails when the lines do', async () => {
    async function* broken(): AsyncGenerator<string> {
      yield 'a';
      throw new Error('no more lines');
    }
    await assert.rejects(writeLines(path, broken(), asIs), /no more lines/);
  });
});
