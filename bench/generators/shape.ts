/**
 * The shape of generated data, by which it is compared with the real one: how much of it there is, of what, and how long it is
 * written. The figures are in bench/README.md.
 */
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { decodableText } from '../../local/samples/containers.ts';
import { parseInputKey } from '../../src/pipeline/input-bucket/key.ts';

export type Shape = Readonly<Record<string, number>>;

/** Digits, points and signs of arrays of numbers, as they are written. */
class NumberTexts {
  #numbers = 0;
  #zeros = 0;
  #missing = 0;
  #fractions = 0;
  #characters = 0;
  #arrays = 0;
  #zeroRuns = 0;

  /** @param list `1,0,0.5` or `1, 0, 0.5` */
  note(list: string): void {
    this.#arrays += 1;
    let before = '';
    for (const text of list.split(/, ?/)) {
      this.#numbers += 1;
      if (text === '0' && before !== '0') this.#zeroRuns += 1;
      before = text;
      if (text === '0') this.#zeros += 1;
      else if (text === '-1') this.#missing += 1;
      else {
        this.#characters += text.length;
        if (text.includes('.')) this.#fractions += 1;
      }
    }
  }

  shape(): Shape {
    const written = this.#numbers - this.#zeros - this.#missing;
    return {
      'numbers a row': this.#numbers / this.#arrays,
      'zeros, % of numbers': (100 * this.#zeros) / this.#numbers,
      'runs of zeros a row': this.#zeroRuns / this.#arrays,
      '-1, % of numbers': (100 * this.#missing) / this.#numbers,
      'fractions, % of numbers': (100 * this.#fractions) / this.#numbers,
      'characters of other numbers': this.#characters / written,
    };
  }
}

const ROW = /"(\d{8}\/[^"]*)":\{"values": ?\[([^\]]*)\]/g;

/** Of a folder of results. */
export async function resultsShape(folder: string): Promise<Shape> {
  const paths = (await readdir(folder)).filter((name) => name.endsWith('.txt')).map((name) => join(folder, name));
  const numbers = new NumberTexts();
  const [keys, distinct, widths] = [new Set<string>(), new Set<string>(), new Map<string, number>()];
  let [lines, rows, bytes, squares] = [0, 0, 0, 0];
  for (const path of paths) {
    bytes += (await stat(path)).size;
    for await (const line of createInterface({ input: createReadStream(path) })) {
      const key = line.slice(0, line.indexOf('\t'));
      const before = rows;
      for (const [, place = '', values = ''] of line.matchAll(ROW)) {
        rows += 1;
        const commas = values.split(',').length;
        distinct.add(`${key} ${place} ${commas}`);
        widths.set(`${commas}`, (widths.get(`${commas}`) ?? 0) + 1);
        numbers.note(values);
      }
      lines += 1;
      squares += (rows - before) ** 2;
      keys.add(key);
    }
  }
  return {
    files: paths.length,
    MB: bytes / 1e6,
    lines,
    'distinct keys': keys.size,
    'bytes a line': bytes / lines,
    'rows a line': rows / lines,
    'rows a line, root mean square': Math.sqrt(squares / lines),
    rows,
    'distinct rows, % of rows': (100 * distinct.size) / rows,
    ...numbers.shape(),
  };
}

const HISTOGRAM = /"([^"]+)": ?\[(-?\d[^\]]*)\]/g;

/** Of a folder of submissions with `input.txt`. */
export async function submissionsShape(folder: string): Promise<Shape> {
  const list = (await readFile(join(folder, 'input.txt'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  const [numbers, distinct] = [new NumberTexts(), new Set<string>()];
  let [stored, decoded, submissions, histograms, simple] = [0, 0, 0, 0, 0];
  for (const [key = '', name = ''] of list) {
    const { channelVersion, buildDate, submissionDate } = parseInputKey(key, false);
    const bytes = await readFile(join(folder, name));
    const text = await decodableText(bytes);
    stored += bytes.length;
    decoded += Buffer.byteLength(text);
    for (const line of text.trimEnd().split('\n')) {
      submissions += 1;
      const record = JSON.parse(line.slice(line.indexOf('\t') + 1)) as {
        readonly info: { readonly OS: string; readonly version: string | number; readonly arch: string };
        readonly histograms: object;
        readonly simpleMeasurements: object;
      };
      const { info } = record;
      const system = `${info.OS}/${info.OS === 'Linux' ? String(info.version).slice(0, 3) : info.version}/${info.arch}`;
      const at = line.indexOf('"histograms"');
      for (const [, measure = '', values = ''] of line.slice(at).matchAll(HISTOGRAM)) {
        if (!Object.hasOwn(record.histograms, measure)) continue;
        histograms += 1;
        numbers.note(values);
        distinct.add(`${channelVersion} ${measure} ${buildDate} ${submissionDate} ${system}`);
      }
      simple += count(record.simpleMeasurements);
    }
  }
  return {
    files: list.length,
    'MB decoded': decoded / 1e6,
    'MB stored': stored / 1e6,
    submissions,
    'bytes a submission': decoded / submissions,
    'histograms a submission': histograms / submissions,
    'simple measurements a submission': simple / submissions,
    'rows by build date': distinct.size,
    ...numbers.shape(),
  };
}

function count(value: unknown): number {
  if (typeof value === 'number') return 1;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, inner) => sum + count(inner), 0);
}
