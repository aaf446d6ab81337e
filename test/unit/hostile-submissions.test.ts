/** Submissions made to break the kernel that sums them: each is counted as by the reference. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { atScale } from '../fakes/at-scale.ts';
import { bySlowSums, byKernel, type File } from '../fakes/summed-files.ts';

const KEY = 'saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.v2.log.0ab8723b.lzma';
/** So old that it counts by build date only. */
const OLD_BUILD = KEY.replace('20131029030201', '20130101030201');
const LINE_BYTES = 1 << 22;

function submission(histograms: string, info: Record<string, unknown> = {}, simple = '{}'): string {
  const of = JSON.stringify({ OS: 'WINNT', version: '6.1', arch: 'x86', ...info });
  return `id\t{"ver":2,"info":${of},"histograms":${histograms},"simpleMeasurements":${simple}}`;
}

async function assertLikeTheReference(files: readonly File[], maxTableBytes?: number): Promise<void> {
  const { text, ...counted } = await byKernel([files], 1, maxTableBytes);
  const { text: expected, ...counts } = bySlowSums([files]);
  assert.deepEqual(counted, counts);
  // Not `equal`, which would write megabytes.
  assert.ok(text === expected, `${text.length} characters differ from ${expected.length}`);
}

describe('hostile submissions', () => {
  it('may have any single byte in the place of a number', async () => {
    const bytes = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0x0a);
    const lines = bytes.flatMap((byte) =>
      ['[?,0,0,0,0,0,0,0,1]', '[1,0,0,0,0,?,0,0,1]', '[1,0,0,0,0,0,0,0,?]', '[?]'].map((numbers) => {
        const line = Buffer.from(submission(`{"A":${numbers},"B":[3,0,0,0,0,0,0,0,1]}`), 'latin1');
        line[line.indexOf('?')] = byte;
        return line;
      }),
    );
    await assertLikeTheReference([{ key: KEY, lines }]);
  });

  it('may name more measures than the kernel keeps, in histograms that come again and again', async () => {
    let names = 0;
    const objects = Array.from({ length: 90 }, () => {
      const members = Array.from({ length: 3900 }, () => `"${(names++).toString(36)}":[1]`);
      return `"histograms":{${members.join(',')}}`;
    });
    const line = `id\t{"info":{"OS":"W","version":"6","arch":"x"},${objects.join(',')}}`;
    assert.ok(line.length < LINE_BYTES);
    const good = submission('{"A":[1,0,0,0,0,0,0,0,1]}');
    await assertLikeTheReference([{ key: KEY, lines: [good, line, good] }]);
  });

  it('may have short rows with the longest revisions, from the start or later', async () => {
    const members = Array.from({ length: atScale ? 4000 : 800 }, (_, index) => `"a${index}":[0,0,0,0,0,0,0,1]`);
    const lines = Array.from({ length: 36 }, (_, index) => {
      const arch = String(index);
      // Each control character becomes six bytes.
      const revisions = ['a', `b${'\u0001'.repeat(250)}${index}`].slice(index % 2);
      return revisions.map((revision) => submission(`{${members.join(',')}}`, { arch, revision }));
    });
    await assertLikeTheReference([{ key: OLD_BUILD, lines: lines.flat() }], atScale ? 48 << 20 : 10 << 20);
  });

  it('may be so many that their sums are in hundreds of files', async () => {
    const lines = Array.from({ length: atScale ? 700 : 250 }, (_, index) =>
      submission('{"A":[0,0,0,0,0,0,0,1]}', { arch: String(index % 7) }),
    );
    await assertLikeTheReference([{ key: KEY, lines }], 1);
  });
});
