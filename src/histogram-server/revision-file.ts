/** A revision's Histograms.json as it is kept in memory: checked once, its answers made once and kept. */
import { bucketTable } from '../histograms/bucket-table.ts';
import { parseHistogramsFile, replaceConstants } from '../histograms/histograms-file.ts';

export interface BucketsAnswer {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Value of `X-Skipped-Histograms`; empty when nothing was left out. */
  readonly skippedHeader: string;
}

const MAX_HEADER = 1024;

export class RevisionFile {
  /** The text with constants replaced: the answer of `/histograms`. */
  readonly histograms: Uint8Array<ArrayBuffer>;
  #buckets: BucketsAnswer | undefined;

  private constructor(histograms: Uint8Array<ArrayBuffer>) {
    this.histograms = histograms;
  }

  /** Undefined when the bytes are not a Histograms.json. */
  static read(bytes: Buffer): RevisionFile | undefined {
    const { file } = RevisionFile.check(bytes);
    return file;
  }

  /** The same, with a sentence on what is wrong. */
  static check(
    bytes: Buffer,
  ):
    | { readonly file: RevisionFile; readonly fault?: undefined }
    | { readonly file?: undefined; readonly fault: string } {
    const text = bytes.toString('utf8');
    const { fault } = parseHistogramsFile(text);
    return fault === undefined ? { file: new RevisionFile(encode(replaceConstants(text))) } : { fault };
  }

  get text(): string {
    return new TextDecoder().decode(this.histograms);
  }

  /** The answer of `/histogram_buckets`; `skipped` is there only when definitions were left out. */
  get buckets(): BucketsAnswer {
    this.#buckets ??= bucketsAnswer(this.text);
    return this.#buckets;
  }
}

function bucketsAnswer(text: string): BucketsAnswer {
  const { histograms, skipped } = bucketTable(parseHistogramsFile(text).definitions ?? {});
  const answer = skipped.length === 0 ? { histograms } : { histograms, skipped };
  return { body: encode(JSON.stringify(answer)), skippedHeader: skippedHeader(skipped) };
}

/** Names come from outside, and headers have limits: other characters become `?`, and the rest is only counted. */
function skippedHeader(names: readonly string[]): string {
  let header = '';
  for (const [index, name] of names.entries()) {
    const next = `${header === '' ? '' : ', '}${name.replace(/[^\w.:-]/g, '?')}`;
    if (header.length + next.length > MAX_HEADER)
      return `${header}${header === '' ? '' : ', '}+${names.length - index}`;
    header += next;
  }
  return header;
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
