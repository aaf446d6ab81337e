/** The project's decoder of LZMA-alone delivers what liblzma does, byte for byte, of whole, cut and damaged streams. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import lzma, { type Preset } from 'lzma-native';
import { LZMA_START_BYTES, LzmaDecoder } from '../../src/kernels/lzma-kernel.ts';
import { LiblzmaDecoder } from '../../src/threads/liblzma.ts';
import { cases } from '../fakes/cases.ts';
import { type LzmaSymbol, LzmaWriter } from '../fakes/lzma-writer.ts';

const MIB = 1 << 20;
const MAX_BYTES = 128 * MIB;

interface Delivered {
  readonly end: 'complete' | 'truncated' | 'over memory' | 'bad format';
  readonly bytes: Buffer;
}

/** @param pieces sizes in which the stream is read, one after the other and again */
function deliver(
  decoder: LzmaDecoder | LiblzmaDecoder,
  stored: Buffer,
  from: number,
  pieces = [Number.POSITIVE_INFINITY],
): Delivered {
  let position = from;
  let reads = 0;
  const read = (into: Buffer): number => {
    const piece = Math.max(1, pieces[reads++ % pieces.length] ?? 1);
    const bytes = stored.copy(into, 0, position, Math.min(stored.length, position + piece));
    position += bytes;
    return bytes;
  };
  const blocks: Buffer[] = [];
  for (;;) {
    const { end, block } = decoder.step(read);
    blocks.push(Buffer.from(block));
    if (end === 'more') continue;
    const bytes = Buffer.concat(blocks);
    if (end === 'end') return { end: decoder.hasMore(read) ? 'truncated' : 'complete', bytes };
    return { end: end === 'damaged' || bytes.length > 0 ? 'truncated' : end, bytes };
  }
}

async function byLiblzma(stored: Buffer): Promise<Delivered> {
  const decoder = await LiblzmaDecoder.of(MAX_BYTES);
  try {
    return deliver(decoder, stored, 0);
  } finally {
    decoder.close();
  }
}

/** @returns undefined when the stream is left to liblzma */
function byOurs(stored: Buffer, pieces?: number[]): Delivered | undefined {
  const decoder = LzmaDecoder.of(stored.subarray(0, LZMA_START_BYTES), MAX_BYTES);
  return decoder && deliver(decoder, stored, LZMA_START_BYTES, pieces);
}

async function assertSame(stored: Buffer, pieces?: number[]): Promise<Delivered | undefined> {
  const ours = byOurs(stored, pieces);
  if (ours === undefined) return undefined;
  const expected = await byLiblzma(stored);
  assert.equal(ours.end, expected.end);
  // Not deepEqual, which would print megabytes.
  assert.ok(ours.bytes.equals(expected.bytes), `${ours.bytes.length} bytes, by liblzma ${expected.bytes.length}`);
  return ours;
}

async function mustBeSame(stored: Buffer, pieces?: number[]): Promise<Delivered> {
  const same = await assertSame(stored, pieces);
  assert.ok(same !== undefined, 'the stream was left to liblzma');
  return same;
}

async function alone(text: Buffer, preset: Preset): Promise<Buffer> {
  const encoder = lzma.createStream('aloneEncoder', { preset });
  const blocks: Buffer[] = [];
  encoder.on('data', (block: Buffer) => blocks.push(block));
  const ended = new Promise((resolve) => encoder.on('end', resolve));
  encoder.end(text);
  await ended;
  return Buffer.concat(blocks);
}

const contexts = fc
  .record({ lc: fc.nat(4), lp: fc.nat(4), pb: fc.nat(4) })
  .map(({ lc, lp, pb }) => ({ lc, lp: Math.min(lp, 4 - lc), pb }));

const lengths = fc.oneof(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 2, max: 273 }));
const distances = fc.oneof(fc.nat(20), fc.nat(300), fc.nat(70_000));
const symbols = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('literal' as const), byte: fc.nat(255) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('match' as const), distance: distances, length: lengths }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const), which: fc.nat(3), length: lengths }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('one byte' as const) }) },
);

const streams = fc.record({
  context: contexts,
  symbols: fc.array(symbols, { maxLength: 400, size: 'max' }),
  dictionary: fc.constantFrom(4096, 6144, 65536, 1 << 23),
  /** Of the header, and what is wrong with it. */
  size: fc.constantFrom('unknown', 'known', 'known', 'too small', 'too large'),
  hasMark: fc.boolean(),
});
type Stream = typeof streams extends fc.Arbitrary<infer T> ? T : never;

/** Distances are cut to what there is; a few reach one byte too far. */
function writeStream(
  { context, symbols: all, dictionary, size, hasMark }: Stream,
  mayBeBad = true,
): LzmaWriter['decoded'] & { stored?: Buffer } {
  const writer = new LzmaWriter(context);
  for (const symbol of all) writeSymbol(writer, symbol, dictionary, mayBeBad);
  if (hasMark || size === 'unknown') writer.writeEnd();
  const length = writer.decoded.length;
  const sizes = { unknown: undefined, known: length, 'too small': Math.max(0, length - 1), 'too large': length + 1 };
  return Object.assign(writer.decoded, { stored: writer.finish(dictionary, sizes[size]) });
}

function writeSymbol(writer: LzmaWriter, symbol: LzmaSymbol, dictionary: number, mayBeBad: boolean): void {
  const most = Math.min(writer.decoded.length, dictionary);
  if (symbol.kind === 'literal') writer.write(symbol);
  else if (most === 0) {
    if (mayBeBad) writer.write(symbol.kind === 'match' ? { ...symbol, distance: 1 } : symbol);
  } else if (symbol.kind === 'match') {
    const isBad = mayBeBad && symbol.distance === 299;
    writer.write({ ...symbol, distance: isBad ? most + 1 : 1 + (symbol.distance % most) });
  } else writer.write(symbol);
}

describe('LZMA-alone, decoded by the kernel', () => {
  it('is what was written, for all contexts, sizes and marks', async () => {
    await fc.assert(
      fc.asyncProperty(streams, fc.array(fc.nat(40), { minLength: 1 }), async (stream, pieces) => {
        const decoded = writeStream(stream, false);
        const found = await mustBeSame(decoded.stored ?? assert.fail(), pieces);
        if (stream.size === 'unknown' || stream.size === 'known') {
          assert.equal(found.end, 'complete');
          assert.ok(found.bytes.equals(Buffer.from(decoded)));
        } else if (decoded.length > 0) assert.equal(found.end, 'truncated');
      }),
      { numRuns: cases(2000) },
    );
  });

  it('is what liblzma delivers of streams with distances that reach too far', async () => {
    await fc.assert(
      fc.asyncProperty(streams, async (stream) => {
        await mustBeSame(writeStream(stream).stored ?? assert.fail());
      }),
      { numRuns: cases(2000) },
    );
  });

  it('is what liblzma delivers of streams that are cut, damaged, or followed by other bytes', async () => {
    const parts = fc.nat(10_000).map((part) => part / 10_000);
    const damages = fc.record({
      cut: fc.option(parts),
      flips: fc.array(fc.record({ at: parts, bit: fc.nat(7) }), { maxLength: 3 }),
      more: fc.oneof(fc.constant(new Uint8Array()), fc.uint8Array({ maxLength: 40 })),
    });
    let ours = 0;
    await fc.assert(
      fc.asyncProperty(streams, damages, fc.array(fc.nat(40), { minLength: 1 }), async (stream, damage, pieces) => {
        const stored = Buffer.concat([writeStream(stream).stored ?? assert.fail(), damage.more]);
        for (const { at, bit } of damage.flips) {
          const place = Math.min(stored.length - 1, Math.floor(at * stored.length));
          stored[place] = (stored[place] ?? 0) ^ (1 << bit);
        }
        const length = damage.cut === null ? stored.length : Math.floor(damage.cut * stored.length);
        if ((await assertSame(stored.subarray(0, length), pieces)) !== undefined) ours += 1;
      }),
      { numRuns: cases(6000) },
    );
    assert.ok(ours > cases(6000) / 3, `${ours} streams were not left to liblzma`);
  });

  it('is what liblzma delivers of megabytes, whole and damaged, when the window has to be moved', async () => {
    let state = 7;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const pieces = Array.from({ length: 4000 }, () =>
      Buffer.from(Array.from({ length: 1 + random(60) }, () => random(64))),
    );
    const text = Buffer.concat(Array.from({ length: 150_000 }, () => pieces[random(pieces.length)] ?? Buffer.alloc(0)));
    for (const preset of [0, 1] as const) {
      const stored = await alone(text, preset);
      // The smallest window: distances up to 256 KiB or 1 MiB of more than 4 MB.
      const whole = await mustBeSame(stored);
      assert.equal(whole.end, 'complete');
      assert.ok(whole.bytes.equals(text));
      await mustBeSame(stored.subarray(0, stored.length - 1));
      for (let round = 0; round < 4; round += 1) {
        const damaged = Buffer.from(stored);
        const place = LZMA_START_BYTES + random(stored.length - LZMA_START_BYTES);
        damaged[place] = (damaged[place] ?? 0) ^ (1 << random(8));
        await mustBeSame(damaged);
      }
      // A smaller dictionary than the matches need.
      const small = Buffer.from(stored);
      small.writeUInt32LE(4096, 1);
      assert.equal((await mustBeSame(small)).end, 'truncated');
    }
  });

  it('is left to liblzma when the header is odd, or asks for too much memory', () => {
    const stored = writeStream({
      ...{ context: { lc: 3, lp: 0, pb: 2 }, symbols: [], dictionary: 1 << 16, size: 'unknown', hasMark: true },
    }).stored;
    assert.ok(stored !== undefined && byOurs(stored) !== undefined);
    const withHeader = (change: (header: Buffer) => void): Delivered | undefined => {
      const changed = Buffer.from(stored);
      change(changed);
      return byOurs(changed);
    };
    const left = [
      withHeader((header) => header.writeUInt8(255, 0)),
      // lc 3 and lp 2
      withHeader((header) => header.writeUInt8(21, 0)),
      withHeader((header) => header.writeUInt32LE(65_537, 1)),
      withHeader((header) => header.writeUInt32LE(1024, 1)),
      withHeader((header) => header.writeUInt32LE(0xffff_ffff, 1)),
      withHeader((header) => header.writeUInt32LE(24 << 20, 1)),
      withHeader((header) => header.writeUInt32LE(MAX_BYTES, 1)),
      withHeader((header) => header.writeBigUInt64LE(1n << 38n, 5)),
      withHeader((header) => header.writeUInt8(1, 13)),
      withHeader((header) => header.fill(0xff, 14, 18)),
      byOurs(stored.subarray(0, LZMA_START_BYTES - 1)),
    ];
    assert.deepEqual(
      left,
      left.map(() => undefined),
    );
    assert.ok(withHeader((header) => header.writeUInt32LE(16 << 20, 1)) !== undefined);
  });

  for (const name of ['data/real/ss-ff-n-28.lzma', 'data/real/corrupted.lzma', 'cases/lzma-known-size/known.lzma']) {
    const path = new URL(`../../../shared/${name}`, import.meta.url);
    const skip = existsSync(path) ? false : `${path.pathname} is not here`;
    it(`is what liblzma delivers of ${name}, whole and cut`, { skip }, async () => {
      const stored = readFileSync(path);
      await mustBeSame(stored);
      for (let length = LZMA_START_BYTES; length < stored.length; length += Math.ceil(stored.length / 50))
        await mustBeSame(stored.subarray(0, length), [17]);
    });
  }
});
