/**
 * Bad input files: nothing in any of them counts, so that a day with them must publish what it publishes without them.
 * Each with its parts' reasons, as the run counts them.
 */
import { gzipSync } from 'node:zlib';
import { compress } from '../../../local/samples/containers.ts';
import { bomb } from '../../fakes/bombs.ts';

export interface BadFile {
  readonly what: string;
  readonly body: Buffer;
  /** Why it is in FILES_MISSING; absent for a file that is read. */
  readonly missing?: string;
  /** What is counted because of it. */
  readonly skipped: Readonly<Record<string, number>>;
}

const INFO = {
  OS: 'WINNT',
  version: '6.1',
  arch: 'x86',
  revision: 'http://hg.mozilla.org/mozilla-central/rev/5a3b1e0c0de1',
};
const GOOD_ROW = [1, 2, 3, 4, -1, -1, 0, 0];
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `INVENTED_${index}`);
const rows = (count: number): object => Object.fromEntries(names(count).map((name) => [name, GOOD_ROW]));

/** Lines that are no submissions: the file is missing, and the lines are counted. */
const LINES: readonly (readonly [what: string, line: string, reason: string])[] = [
  ['empty lines', '', 'empty_line'],
  ['lines without TAB', 'no tab', 'no_tab'],
  ['text that is no JSON', 'id\tnonsense', 'bad_json'],
  ['JSON that breaks off', 'id\t{"info":', 'bad_json'],
  ['an array', 'id\t[]', 'bad_json'],
  ['nested 5,000 levels deep', `id\t{"info":${'['.repeat(5000)}${']'.repeat(5000)}}`, 'bad_json'],
  ['a histogram nested 5,000 levels deep', `id\t{"histograms":{"A":${'['.repeat(5000)}`, 'bad_json'],
  ['no info', 'id\t{}', 'no_info'],
  ['info that is a text', 'id\t{"info":"x"}', 'no_info'],
  ['an unknown payload', `id\t${JSON.stringify({ ver: 3, info: INFO })}`, 'unsupported_ver'],
  ['an OS that is a number', `id\t${JSON.stringify({ info: { ...INFO, OS: 5 } })}`, 'bad_os'],
  ['an OS version that is a list', `id\t${JSON.stringify({ info: { ...INFO, version: [] } })}`, 'bad_os_version'],
  ['no architecture', `id\t${JSON.stringify({ info: { ...INFO, arch: null } })}`, 'bad_arch'],
  ['a revision that is a number', `id\t${JSON.stringify({ info: { ...INFO, revision: 1 } })}`, 'bad_revision'],
  [
    'a revision of 1.1 million characters',
    `id\t${JSON.stringify({ info: { ...INFO, revision: 'r'.repeat(1_100_000) } })}`,
    'bad_revision',
  ],
  ['20,000 invented measures', `id\t${JSON.stringify({ info: INFO, histograms: rows(20_000) })}`, 'too_many_measures'],
  [
    '200,000 simple measurements',
    `id\t{"info":${JSON.stringify(INFO)},"simpleMeasurements":{${Array.from({ length: 200_000 }, (_, n) => `"s${n}":1`).join(',')}}}`,
    'too_many_measures',
  ],
  ['a line of 17 MiB', `id\t"${'x'.repeat(17 << 20)}"`, 'line_too_long'],
];

/** Submissions that count, of which no part does. */
const PARTS: readonly (readonly [what: string, members: string, reason: string])[] = [
  ...(
    [
      ['a count of 1.7e308', '[1.7e308,0,0,0,-1,-1,0,0]'],
      ['a count of 2^32', '[4294967296,0,0,0,-1,-1,0,0]'],
      ['a negative count', '[1,-1,0,0,-1,-1,0,0]'],
      ['half a count', '[1,0.5,0,0,-1,-1,0,0]'],
      ['a sum beyond 2^53', '[1,0,0,9007199254740993,-1,-1,0,0]'],
      ['a logarithm of 1e300', '[1,0,0,0,1e300,-1,0,0]'],
      ['a statistic of 1e999', '[1,0,0,0,-1,-1,0,1e999]'],
      ['null', '[1,null,0,0,-1,-1,0,0]'],
      ['a text', '["1",0,0,0,-1,-1,0,0]'],
      ['an object', '{"values":{"0":1}}'],
      ['seven numbers', '[1,0,0,-1,-1,0,0]'],
      ['10,006 numbers', JSON.stringify(new Array(10_006).fill(0))],
    ] as const
  ).map(([what, row]) => [`a histogram with ${what}`, `"histograms":{"ODD":${row}}`, 'bad_histogram'] as const),
  ...['', 'A B', 'a/b', '..', 'x'.repeat(129), 'x'.repeat(100_000), '<b>', 'Ä', '\u001b[2J', '\u202ex'].map(
    (name) =>
      [
        `a measure named ${JSON.stringify(name.slice(0, 8))} (${name.length})`,
        `"histograms":{${JSON.stringify(name)}:[1,0,0,0,-1,-1,0,0]}`,
        'bad_measure_name',
      ] as const,
  ),
  ['a simple measurement of 1e999', '"simpleMeasurements":{"x":1e999}', 'bad_simple_measure'],
  ['a simple measurement of 2^60', '"simpleMeasurements":{"x":1152921504606846976}', 'bad_simple_measure'],
  ['a simple measurement with a blank', '"simpleMeasurements":{"a b":1}', 'bad_measure_name'],
  [
    'a simple measurement of 100,000 characters',
    `"simpleMeasurements":{"${'x'.repeat(100_000)}":1}`,
    'bad_measure_name',
  ],
];

export async function badFiles(): Promise<BadFile[]> {
  const files: BadFile[] = [];
  for (const [what, line, reason] of LINES) {
    const count = line.length < 100 ? 1000 : 1;
    const body = await compress(`${line}\n`.repeat(count), 'lzma');
    files.push({ what, body, missing: 'no_submission', skipped: { [reason]: count, no_submission: 1 } });
  }
  for (const [what, members, reason] of PARTS) {
    const body = await compress(`id\t{"info":${JSON.stringify(INFO)},${members}}\n`, 'lzma');
    files.push({ what, body, skipped: { [reason]: 1 } });
  }
  const good = await compress(`id\t${JSON.stringify({ info: INFO })}\n`, 'lzma');
  const containers: readonly (readonly [what: string, body: Buffer, missing: string])[] = [
    ['an HTML page', Buffer.from('<html></html>'), 'bad_container'],
    ['gzip', gzipSync('id\t{}\n'), 'bad_container'],
    ['noise', Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 167 + 89) % 251)), 'bad_container'],
    [
      'a dictionary of 4 GiB',
      Buffer.concat([good.subarray(0, 1), Buffer.alloc(4, 0xff), good.subarray(5)]),
      'decoder_memory',
    ],
    ['256 MiB of zeros in 38 KB', bomb('aloneEncoder'), 'file_too_large'],
    ['the same as xz', bomb('easyEncoder'), 'file_too_large'],
  ];
  for (const [what, body, missing] of containers) {
    // The zeros are one line until the file is given up.
    const lines = missing === 'file_too_large' ? { line_too_long: 1 } : {};
    files.push({ what, body, missing, skipped: { [missing]: 1, ...lines } });
  }
  return files;
}
