import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import lzma from 'lzma-native';
import { bomb } from '../fakes/bombs.ts';
import { cases } from '../fakes/cases.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { type DecodeEnd, decodeFile, type DecodeLimits } from '../../src/threads/decode.ts';
import { LineSplitter } from '../../src/threads/lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'decode-'));
after(() => {
  rmSync(folder, { recursive: true });
});

const MIB = 1 << 20;
const LIMITS: DecodeLimits = { maxDecodedBytes: 256 * MIB, maxRatio: 500, maxDecoderBytes: 64 * MIB };

async function compress(format: 'easyEncoder' | 'aloneEncoder', text: Buffer | string): Promise<Buffer> {
  const encoder = lzma.createStream(format, { preset: 1 });
  const blocks: Buffer[] = [];
  encoder.on('data', (block: Buffer) => blocks.push(block));
  const ended = new Promise((resolve) => encoder.on('end', resolve));
  encoder.end(Buffer.from(text));
  await ended;
  return Buffer.concat(blocks);
}

/** Lines that compress badly, so that a place in the file is a place in the text. */
function noisyLines(count: number): string[] {
  let state = 1;
  const digit = (): string => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state.toString(36);
  };
  return Array.from({ length: count }, (_, index) => `${index}\t${Array.from({ length: 40 }, digit).join('')}`);
}

let files = 0;
async function decode(stored: Buffer, limits = LIMITS): Promise<{ end: DecodeEnd; text: string; lines: string[] }> {
  const path = join(folder, `file-${files++}`);
  writeFileSync(path, stored);
  const blocks: Buffer[] = [];
  const lines: string[] = [];
  const splitter = new LineSplitter(256 * MIB, () => assert.fail('no line is too long'));
  const onLine = (bytes: Buffer, start: number, end: number): void => {
    lines.push(bytes.toString('utf8', start, end));
  };
  const end = await decodeFile(path, (await stat(path)).size, limits, (block) => {
    blocks.push(Buffer.from(block));
    splitter.push(block, onLine);
  });
  if (end === 'complete') splitter.end(onLine);
  return { end, text: Buffer.concat(blocks).toString(), lines };
}

async function refused(stored: Buffer, reason: string, limits = LIMITS): Promise<void> {
  await assert.rejects(decode(stored, limits), (error) => {
    assert.ok(error instanceof InvalidDataError, String(error));
    assert.equal(error.reason, reason);
    return true;
  });
}

describe('submission files', () => {
  const text = `${noisyLines(1200).join('\n')}\n`;

  for (const [name, format] of [
    ['xz', 'easyEncoder'],
    ['LZMA-alone', 'aloneEncoder'],
  ] as const) {
    it(`are decoded from ${name}`, async () => {
      assert.deepEqual(await decode(await compress(format, text)), {
        end: 'complete',
        text,
        lines: text.trimEnd().split('\n'),
      });
    });

    it(`are decoded from ${name} of nothing`, async () => {
      assert.deepEqual(await decode(await compress(format, '')), { end: 'complete', text: '', lines: [] });
    });

    for (const part of [0.02, 0.3, 0.7, 0.999]) {
      it(`give every whole line of ${name} cut off at ${part}`, async () => {
        const stored = await compress(format, text);
        const cut = await decode(stored.subarray(0, Math.floor(part * stored.length)));
        assert.equal(cut.end, 'truncated');
        assert.ok(text.startsWith(cut.text));
        // Nearly all of what the bytes hold: the coder lags by a few of them.
        assert.ok(cut.text.length >= part * text.length - 5000, `${cut.text.length} of ${text.length}`);
        assert.deepEqual(cut.lines, cut.text.split('\n').slice(0, -1));
      });
    }

    it(`give every whole line of ${name} before other bytes at its end`, async () => {
      for (const lines of [['one', 'two'], noisyLines(1200)]) {
        const stored = Buffer.concat([await compress(format, `${lines.join('\n')}\n`), Buffer.from('garbage here')]);
        const { end, lines: found } = await decode(stored);
        assert.deepEqual({ end, found }, { end: 'truncated', found: lines });
      }
    });

    it(`give the lines of ${name} before a flipped bit`, async () => {
      const stored = await compress(format, text);
      const middle = stored.length >> 1;
      stored[middle] = (stored[middle] ?? 0) ^ 0x10;
      const flipped = await decode(stored);
      const good = text.split('\n');
      let same = 0;
      while (flipped.lines[same] === good[same] && same < flipped.lines.length) same += 1;
      assert.ok(same >= 580, `${same} good lines`);
      // LZMA-alone has no check sum, so what follows may be read as text.
      if (format === 'easyEncoder') assert.equal(flipped.end, 'truncated');
    });
  }

  it('are decoded from several xz streams in a row', async () => {
    const streams = await Promise.all(['a\nb\n', 'c\n', 'd'].map((part) => compress('easyEncoder', part)));
    assert.deepEqual(await decode(Buffer.concat(streams)), {
      end: 'complete',
      text: 'a\nb\nc\nd',
      lines: ['a', 'b', 'c', 'd'],
    });
  });

  it('are decoded whole when LZMA-alone has both its size and an end marker', async () => {
    const stored = await compress('aloneEncoder', 'a\nb\nc\n');
    // liblzma writes "unknown" and a marker; other programs write the size and the marker.
    stored.writeBigUInt64LE(6n, 5);
    assert.deepEqual(await decode(stored), { end: 'complete', text: 'a\nb\nc\n', lines: ['a', 'b', 'c'] });
  });

  it('count a last line without LF', async () => {
    assert.deepEqual((await decode(await compress('aloneEncoder', 'a\nb'))).lines, ['a', 'b']);
  });

  it('may be empty', async () => {
    assert.deepEqual(await decode(Buffer.alloc(0)), { end: 'complete', text: '', lines: [] });
  });

  for (const [name, stored] of [
    ['gzip', gzipSync(text)],
    ['plain text', Buffer.from(text)],
    ['one byte', Buffer.from('x')],
    ['a large file of zeros', Buffer.alloc(300_000, 0xff)],
  ] as const) {
    it(`are not ${name}`, async () => {
      await refused(stored, 'bad_container');
    });
  }

  it('that grow without measure are refused by ratio', async () => {
    const zeros = await compress('easyEncoder', Buffer.alloc(4 * MIB));
    await refused(Buffer.concat(new Array<Buffer>(20).fill(zeros)), 'file_too_large');
  });

  it('that grow too large are refused by size', async () => {
    await refused(await compress('easyEncoder', Buffer.alloc(3 * MIB)), 'file_too_large', {
      ...LIMITS,
      maxDecodedBytes: 2 * MIB,
    });
    assert.equal(
      (await decode(await compress('easyEncoder', Buffer.alloc(2 * MIB)), { ...LIMITS, maxDecodedBytes: 2 * MIB })).end,
      'complete',
    );
  });

  for (const format of ['easyEncoder', 'aloneEncoder'] as const) {
    it(`F12: 256 MiB of zeros by ${format} are refused within seconds and little memory`, async () => {
      const stored = bomb(format);
      const path = join(folder, `bomb-${format}`);
      writeFileSync(path, stored);
      const [before, start] = [process.memoryUsage().rss, performance.now()];
      let delivered = 0;
      await assert.rejects(
        decodeFile(
          path,
          stored.length,
          { ...LIMITS, maxDecodedBytes: 8192 * MIB },
          (block) => (delivered += block.length),
        ),
        { reason: 'file_too_large' },
      );
      assert.ok(delivered <= 65 * MIB, String(delivered));
      assert.ok(performance.now() - start < 20_000);
      // The 64 MiB from which on the ratio counts, and what one step of input decodes to.
      const grown = process.memoryUsage().rss - before;
      assert.ok(grown < 192 * MIB, `${Math.round(grown / MIB)} MiB`);
    });
  }

  it('F12: a header that asks for a dictionary of 4 GiB is refused', async () => {
    const stored = await compress('aloneEncoder', text);
    stored.fill(0xff, 1, 5);
    await refused(stored, 'decoder_memory');
  });

  it('that ask for too much memory are refused', async () => {
    await refused(await compress('easyEncoder', text), 'decoder_memory', { ...LIMITS, maxDecoderBytes: 1000 });
  });
});

describe('lines', () => {
  const split = (blocks: readonly Buffer[], max: number): { lines: string[]; tooLong: number } => {
    const lines: string[] = [];
    let tooLong = 0;
    const splitter = new LineSplitter(max, () => {
      tooLong += 1;
    });
    const take = (bytes: Buffer, start: number, end: number): void => {
      lines.push(bytes.toString('latin1', start, end));
    };
    // As the merge reads: all of them into one buffer.
    const buffer = Buffer.alloc(64);
    for (const block of blocks) {
      const length = block.copy(buffer);
      splitter.push(buffer.subarray(0, length), take);
      buffer.fill('\n');
    }
    splitter.end(take);
    return { lines, tooLong };
  };

  it('are the same however the bytes come', () => {
    const bytes = fc
      .array(fc.constantFrom('a', 'b', '\n', '\n', '\r', 'é'), { maxLength: 60 })
      .map((all) => all.join(''));
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(60)), fc.integer({ min: 0, max: 6 }), (text, cuts, max) => {
        const whole = Buffer.from(text, 'latin1');
        const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
        const blocks = places.slice(1).map((end, index) => whole.subarray(places[index], end));
        const all = text.split('\n');
        if (all.at(-1) === '') all.pop();
        assert.deepEqual(split(blocks, max), {
          lines: all.filter((line) => line.length <= max),
          tooLong: all.filter((line) => line.length > max).length,
        });
      }),
      { numRuns: cases(1000) },
    );
  });
});
