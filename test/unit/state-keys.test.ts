/** The private bucket has one home: no file outside of `src/state` builds a key of it. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
/** The beginning of a text that is a key: `state/…`, `output/…`, `investigations/…`. */
const KEY = /['"`](?:state|output|investigations)\/(?!\w[\w-]*\.ts)/;

function linesWithKeys(text: string): string[] {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ''))
    .split('\n')
    .filter((line) => KEY.test(line.replace(/\/\/.*$/, '')) && !/\b(?:from|import\()\s*['"]/.test(line));
}

describe('keys of the private bucket', () => {
  it('are built in src/state only', () => {
    const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.startsWith(join('src', 'state')));
    assert.ok(files.length > 200);
    const found = files.flatMap((file) =>
      linesWithKeys(readFileSync(join(root, file), 'utf8')).map((line) => `${file}: ${line.trim()}`),
    );
    assert.deepEqual(found, []);
  });

  it('would be found elsewhere', () => {
    assert.equal(linesWithKeys('const key = `state/runs/${day}/`;').length, 1);
    assert.equal(linesWithKeys("const key = 'output/' + id;").length, 1);
    assert.equal(linesWithKeys("import { x } from '../state/keys.ts'; // 'state/x'").length, 0);
  });
});
