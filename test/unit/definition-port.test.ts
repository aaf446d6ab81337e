import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { answeringPort, DefinitionsByPort, type FindHistogramsFile } from '../../src/threads/definition-port.ts';

async function asking(
  find: FindHistogramsFile,
  work: (source: DefinitionsByPort, close: () => void) => Promise<void>,
): Promise<void> {
  const { port, close } = answeringPort(find);
  const source = new DefinitionsByPort(port);
  const closed = once(port, 'close');
  try {
    await work(source, close);
  } finally {
    source.close();
    await closed;
  }
}

describe('definitions by port', () => {
  it('are asked for once a revision, and belong to the revision asked for', async () => {
    const asked: string[] = [];
    const find = async (url: string): Promise<string> => {
      asked.push(url);
      return `{"${url}":{"kind":"flag"}}`;
    };
    await asking(find, async (source) => {
      const found = await Promise.all(['a', 'b', 'a'].map((url) => source.histograms(url)));
      assert.deepEqual(
        found.map((definitions) => Object.keys(definitions ?? {})),
        [['a'], ['b'], ['a']],
      );
      await source.histograms('b');
    });
    assert.deepEqual(asked, ['a', 'b']);
  });

  for (const [name, find] of [
    ['cannot be had', async () => undefined],
    ['fail to be looked up', () => Promise.reject(new Error('no'))],
    ['are no Histograms.json', async () => '<html>'],
  ] as const) {
    it(`are undefined when they ${name}`, async () => {
      await asking(find, async (source) => {
        assert.equal(await source.histograms('a'), undefined);
      });
    });
  }

  it('are undefined when the other end is closed before it answered', async () => {
    await asking(
      () => new Promise(() => undefined),
      async (source, close) => {
        const waiting = source.histograms('a');
        close();
        assert.equal(await waiting, undefined);
      },
    );
  });
});
