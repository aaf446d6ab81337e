/** Failpoints: what may be named, that nothing happens unless it is, and that each fires once. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { armFailpoints, failpoint, parseFailpoints } from '../../src/failpoints.ts';

const folder = await mkdtemp(join(tmpdir(), 'failpoints-'));
after(() => rm(folder, { recursive: true, force: true }));

describe('FAILPOINTS', () => {
  it('names points, actions and passes', () => {
    assert.deepEqual(parseFailpoints('drain.afterReceipt=kill@2; flip.before=hang;merge.begin=block:8s'), [
      { name: 'drain.afterReceipt', action: { kind: 'kill' }, pass: 2 },
      { name: 'flip.before', action: { kind: 'hang' }, pass: 1 },
      { name: 'merge.begin', action: { kind: 'block', ms: 8000 }, pass: 1 },
    ]);
    assert.deepEqual(
      parseFailpoints('flip.before=gate:/tmp/a.b;flip.after=throw:AbortError;plan.afterPut=delay:20ms'),
      [
        { name: 'flip.before', action: { kind: 'gate', file: '/tmp/a.b' }, pass: 1 },
        { name: 'flip.after', action: { kind: 'throw', error: 'AbortError' }, pass: 1 },
        { name: 'plan.afterPut', action: { kind: 'delay', ms: 20 }, pass: 1 },
      ],
    );
    assert.deepEqual(parseFailpoints(''), []);
  });

  for (const bad of [
    'flip.befor=kill',
    'flip.before',
    'flip.before=explode',
    'flip.before=delay:soon',
    'flip.before=kill:9',
  ]) {
    it(`refuses ${bad}`, () => {
      assert.throws(() => parseFailpoints(bad), /"(?:flip|explode|soon|kill)/);
    });
  }
});

describe('a failpoint', () => {
  it('does nothing unless it is named', async () => {
    await failpoint('flip.before');
  });

  it('fires on its pass, once for all that share the folder', async () => {
    armFailpoints(parseFailpoints('drain.afterReceive=throw:Broken@2'), folder);
    await failpoint('drain.afterReceive');
    await assert.rejects(failpoint('drain.afterReceive'), { name: 'Broken' });
    assert.deepEqual(await readdir(folder), ['drain.afterReceive@2']);
    armFailpoints(parseFailpoints('drain.afterReceive=throw:Broken@1;drain.afterDelete=throw:Broken@1'), folder);
    await writeFile(join(folder, 'drain.afterDelete@1'), '');
    await failpoint('drain.afterDelete');
  });

  it('holds at a gate until its file is there', async () => {
    const gate = join(folder, 'open');
    armFailpoints(parseFailpoints(`flip.before=gate:${gate}`), folder);
    let passed = false;
    const held = failpoint('flip.before').then(() => (passed = true));
    await failpoint('flip.after');
    assert.equal(passed, false);
    await writeFile(gate, '');
    await held;
  });

  it('ends a hang when the activity is cancelled', async () => {
    armFailpoints(parseFailpoints('flip.after=hang'), folder);
    await assert.rejects(failpoint('flip.after', AbortSignal.timeout(10)), { name: 'AbortError' });
  });
});

it('every point of the code is broken by a fault test, and no fault test names another', async () => {
  const sources = (await readdir('src/activities')).map((name) => readFile(join('src/activities', name), 'utf8'));
  const passed = (await Promise.all(sources)).flatMap((text) =>
    [...text.matchAll(/failpoint\('([\w.]+)'/g)].map(([, name]) => name ?? ''),
  );
  assert.equal(new Set(passed).size, passed.length, 'a point is one place');
  const files = (await readdir('test/faults')).filter((name) => name.endsWith('.ts'));
  const tests = (await Promise.all(files.map((name) => readFile(join('test/faults', name), 'utf8')))).join('');
  const unused = passed.filter((name) => !tests.includes(name));
  assert.deepEqual(unused, []);
});
