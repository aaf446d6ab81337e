/** Signs of life are written by half trusted machines: none of them costs the reader much, or hides another. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { seenWorkers, type SignOfLife, writeSign } from '../../src/state/analysis-workers.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { CallTrace } from '../fakes/call-trace.ts';
import { MemoryObjectStore } from '../fakes/memory-object-store.ts';

const DAY_MS = 86_400_000;
const sign = (host: string): SignOfLife => ({
  ...{ host, pid: 1, startedAt: '2013-10-30T00:00:00.000Z' },
  ...{ tasksDone: 1, tasksFailed: 0, atWork: [] },
});

describe('the workers that are seen', () => {
  let trace: CallTrace;
  let store: MemoryObjectStore;
  beforeEach(async () => {
    trace = new CallTrace();
    store = new MemoryObjectStore('analysis', trace);
    await writeSign(store, 'host-real', sign('real'));
  });
  const hosts = async (): Promise<string[]> =>
    (await seenWorkers(store, new Date(), DAY_MS, new AbortController().signal)).map(({ host }) => host);

  it('are there although damaged signs are listed before them', async () => {
    for (let index = 0; index < 250; index += 1) store.store(stateKeys.signOfLife(`a${index}`), '{}');
    assert.deepEqual(await hosts(), ['real']);
  });

  it('are at most 200, those that were seen last', async () => {
    const old = new Date(Date.now() - 1000);
    for (let index = 0; index < 250; index += 1) {
      const key = stateKeys.signOfLife(`a${index}`);
      store.store(key, JSON.stringify(sign(`old${index}`)));
      store.contents.set(key, { ...store.contents.get(key)!, lastModified: old });
    }
    const seen = await hosts();
    assert.deepEqual([seen.length, seen[0]], [200, 'real']);
  });

  it('are not those whose sign is large, or inflates to much', async () => {
    const padded = `${' '.repeat(100_000)}${JSON.stringify(sign('large'))}`;
    store.store(stateKeys.signOfLife('a-large'), padded);
    store.store(stateKeys.signOfLife('a-bomb'), gzipSync(padded));
    store.store(stateKeys.signOfLife('a-small'), gzipSync(JSON.stringify(sign('small'))));
    assert.deepEqual((await hosts()).toSorted(), ['real', 'small']);
    assert.equal(trace.effective('get', /a-large/).length, 0);
  });
});
