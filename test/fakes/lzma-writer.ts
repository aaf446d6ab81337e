/** Writes LZMA-alone, symbol by symbol, by the public specification: streams that no encoder would make, for the decoder's tests. */

export interface LzmaContext {
  readonly lc: number;
  readonly lp: number;
  readonly pb: number;
}

export type LzmaSymbol =
  | { readonly kind: 'literal'; readonly byte: number }
  | { readonly kind: 'match'; readonly distance: number; readonly length: number }
  /** Of the last four distances, 0 for the last one. */
  | { readonly kind: 'repeat'; readonly which: number; readonly length: number }
  | { readonly kind: 'one byte' };

type Tree = Map<number, number>;

/** A byte is written once no carry can change it. */
class RangeEncoder {
  readonly bytes: number[] = [];
  #low = 0n;
  #range = 0xffff_ffffn;
  #cache = 0;
  #pending = 0;

  bit(tree: Tree, place: number, bit: number): void {
    const probability = tree.get(place) ?? 1024;
    const bound = (this.#range >> 11n) * BigInt(probability);
    if (bit === 0) this.#range = bound;
    else {
      this.#low += bound;
      this.#range -= bound;
    }
    tree.set(place, bit === 0 ? probability + ((2048 - probability) >> 5) : probability - (probability >> 5));
    this.#normalise();
  }

  evenBit(bit: number): void {
    this.#range >>= 1n;
    if (bit !== 0) this.#low += this.#range;
    this.#normalise();
  }

  finish(): Buffer {
    for (let count = 0; count < 5; count += 1) this.#shift();
    return Buffer.from(this.bytes);
  }

  #normalise(): void {
    if (this.#range >= 1n << 24n) return;
    this.#range <<= 8n;
    this.#shift();
  }

  #shift(): void {
    if (this.#low < 0xff00_0000n || this.#low > 0xffff_ffffn) {
      const carry = Number(this.#low >> 32n);
      this.bytes.push((this.#cache + carry) & 0xff);
      for (; this.#pending > 0; this.#pending -= 1) this.bytes.push((0xff + carry) & 0xff);
      this.#cache = Number((this.#low >> 24n) & 0xffn);
    } else this.#pending += 1;
    this.#low = (this.#low & 0xff_ffffn) << 8n;
  }
}

export class LzmaWriter {
  /** What the stream decodes to. */
  readonly decoded: number[] = [];
  readonly #context: LzmaContext;
  readonly #coder = new RangeEncoder();
  readonly #trees = new Map<string, Tree>();
  #state = 0;
  #distances = [1, 1, 1, 1];

  constructor(context: LzmaContext) {
    this.#context = context;
  }

  write(symbol: LzmaSymbol): void {
    const position = this.decoded.length & ((1 << this.#context.pb) - 1);
    const isMatch = this.#tree('is match');
    this.#coder.bit(isMatch, this.#state * 16 + position, symbol.kind === 'literal' ? 0 : 1);
    if (symbol.kind === 'literal') {
      this.#literal(symbol.byte);
      return;
    }
    this.#coder.bit(this.#tree('is repeat'), this.#state, symbol.kind === 'match' ? 0 : 1);
    if (symbol.kind === 'match') this.#match(symbol.distance, symbol.length, position);
    else this.#repeat(symbol, position);
  }

  /** The mark of the end: a match of the greatest distance. */
  writeEnd(length = 2): void {
    const position = this.decoded.length & ((1 << this.#context.pb) - 1);
    this.#coder.bit(this.#tree('is match'), this.#state * 16 + position, 1);
    this.#coder.bit(this.#tree('is repeat'), this.#state, 0);
    this.#length('length', length, position);
    this.#distance(0xffff_ffff, length);
  }

  /** @param size undefined when the header says that it is not known */
  finish(dictionaryBytes: number, size: number | undefined): Buffer {
    const { lc, lp, pb } = this.#context;
    const header = Buffer.alloc(13, 0xff);
    header.writeUInt8((pb * 5 + lp) * 9 + lc);
    header.writeUInt32LE(dictionaryBytes, 1);
    if (size !== undefined) header.writeBigUInt64LE(BigInt(size), 5);
    return Buffer.concat([header, this.#coder.finish()]);
  }

  #tree(name: string): Tree {
    let tree = this.#trees.get(name);
    if (tree === undefined) this.#trees.set(name, (tree = new Map<number, number>()));
    return tree;
  }

  #literal(byte: number): void {
    const { lc, lp } = this.#context;
    const place = this.decoded.length & ((1 << lp) - 1);
    const tree = this.#tree(`literal ${place} ${(this.decoded.at(-1) ?? 0) >> (8 - lc)}`);
    const other = this.#state < 7 ? undefined : this.decoded.at(-(this.#distances[0] ?? 1));
    let isSame = other !== undefined;
    let symbol = 1;
    for (let index = 7; index >= 0; index -= 1) {
      const bit = (byte >> index) & 1;
      const expected = ((other ?? 0) >> index) & 1;
      this.#coder.bit(tree, (isSame ? 0x100 + (expected << 8) : 0) + symbol, bit);
      if (bit !== expected) isSame = false;
      symbol = symbol * 2 + bit;
    }
    this.#state = this.#state < 4 ? 0 : this.#state - (this.#state < 10 ? 3 : 6);
    this.decoded.push(byte);
  }

  #match(distance: number, length: number, position: number): void {
    this.#length('length', length, position);
    this.#distance(distance - 1, length);
    this.#distances = [distance, ...this.#distances.slice(0, 3)];
    this.#state = this.#state < 7 ? 7 : 10;
    this.#copy(length);
  }

  #repeat(symbol: Exclude<LzmaSymbol, { kind: 'literal' | 'match' }>, position: number): void {
    const isLong = symbol.kind === 'repeat';
    this.#which(isLong ? symbol.which : 0, isLong, position);
    if (isLong) this.#length('repeat length', symbol.length, position);
    if (this.#state >= 7) this.#state = 11;
    else this.#state = isLong ? 8 : 9;
    this.#copy(isLong ? symbol.length : 1);
  }

  #which(which: number, isLong: boolean, position: number): void {
    this.#coder.bit(this.#tree('is not last'), this.#state, which > 0 ? 1 : 0);
    if (which === 0) this.#coder.bit(this.#tree('is long'), this.#state * 16 + position, isLong ? 1 : 0);
    else {
      this.#coder.bit(this.#tree('is not second'), this.#state, which > 1 ? 1 : 0);
      if (which > 1) this.#coder.bit(this.#tree('is not third'), this.#state, which > 2 ? 1 : 0);
    }
    const [distance = 1] = this.#distances.splice(which, 1);
    this.#distances.unshift(distance);
  }

  #length(name: string, length: number, position: number): void {
    this.#coder.bit(this.#tree(name), 0, length >= 10 ? 1 : 0);
    if (length >= 10) this.#coder.bit(this.#tree(name), 1, length >= 18 ? 1 : 0);
    if (length < 10) this.#bits(this.#tree(`${name} short ${position}`), length - 2, 3);
    else if (length < 18) this.#bits(this.#tree(`${name} medium ${position}`), length - 10, 3);
    else this.#bits(this.#tree(`${name} long`), length - 18, 8);
  }

  #distance(distance: number, length: number): void {
    const top = 31 - Math.clz32(distance);
    const slot = distance < 4 ? distance : top * 2 + ((distance >>> (top - 1)) & 1);
    this.#bits(this.#tree(`slot ${Math.min(length - 2, 3)}`), slot, 6);
    if (slot < 4) return;
    const count = (slot >> 1) - 1;
    if (slot < 14) {
      this.#reverseBits(this.#tree(`low bits ${slot}`), distance, count);
      return;
    }
    for (let index = count - 1; index >= 4; index -= 1) this.#coder.evenBit((distance >>> index) & 1);
    this.#reverseBits(this.#tree('last bits'), distance, 4);
  }

  #bits(tree: Tree, value: number, count: number): void {
    let symbol = 1;
    for (let index = count - 1; index >= 0; index -= 1) {
      const bit = (value >> index) & 1;
      this.#coder.bit(tree, symbol, bit);
      symbol = symbol * 2 + bit;
    }
  }

  #reverseBits(tree: Tree, value: number, count: number): void {
    let symbol = 1;
    for (let index = 0; index < count; index += 1) {
      const bit = (value >>> index) & 1;
      this.#coder.bit(tree, symbol, bit);
      symbol = symbol * 2 + bit;
    }
  }

  #copy(length: number): void {
    const [distance = 1] = this.#distances;
    for (let count = 0; count < length; count += 1)
      this.decoded.push(this.decoded[this.decoded.length - distance] ?? 0);
  }
}
