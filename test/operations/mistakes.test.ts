/** Ordinary mistakes: each is told in one sentence that says what to do, without a stack trace, with the documented exit code. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { runToEnd } from '../system/deployment.ts';

const work = mkdtempSync(join(tmpdir(), 'mistakes-'));
after(() => {
  rmSync(work, { recursive: true });
});
const file = (name: string, text: string): string => {
  writeFileSync(join(work, name), text);
  return join(work, name);
};
const NOWHERE = join(work, 'nowhere');
const KEYS = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };

/** Nothing answers, and there are no credentials. */
const ENVIRONMENT: Readonly<Record<string, string | undefined>> = {
  PATH: process.env['PATH'],
  HOME: work,
  TEMPORAL_ADDRESS: '127.0.0.1:1',
  TEMPORAL_CONFIG_FILE: file('temporal.toml', '[profile.default]\n'),
  AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:2',
  AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:3',
  AWS_REGION: 'us-west-2',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_MAX_ATTEMPTS: '1',
};

type Row = readonly [args: string, exitCode: 1 | 2, says: RegExp, settings?: Readonly<Record<string, string>>];

const NO_TEMPORAL =
  /^no Temporal server answers at 127\.0\.0\.1:1 .*: start one \(.*\), use --local .*or set TEMPORAL_ADDRESS$/;
const NO_CREDENTIALS = /Could not load credentials .*: set AWS_PROFILE, or AWS_ACCESS_KEY_ID/;
const USAGE = /^error: .*\n"telemetry COMMAND --help" shows what a command takes\.$/s;

const ROWS: readonly Row[] = [
  [
    'schedules list',
    2,
    /Temporal's profiles cannot be read .*: correct TEMPORAL_PROFILE/,
    { TEMPORAL_PROFILE: 'other' },
  ],
  ['status --local', 2, /^--local is an option of "npm run -s telemetry -- --local …", and not of this program/],
  ['nonsense', 2, /unknown command 'nonsense'/],
  ['run-day --dya 20131029', 2, /unknown option '--dya'\n\(Did you mean --day\?\)/],
  ['run-day --day 20130229', 2, /is not a calendar day; write YYYYMMDD/],
  ['run-day --day 29990101', 2, /in the future .*--allow-future/],
  ['run-day --day 20131029', 1, NO_TEMPORAL],
  [`run-day --day 20131029 --filter ${NOWHERE}`, 2, /nowhere cannot be read: ENOENT/],
  [`run-day --day 20131029 --filter ${file('filter.json', '{')}`, 2, /^\S+\/filter\.json: .*JSON/],
  [`investigate x --filter ${file('dated.json', '{ DATE')}`, 2, /^\S+\/dated\.json: .*JSON/],
  [`investigate x --day 20131029 --filter ${file('odd.json', '{"DATE": 1}')}`, 2, /^\S+\/odd\.json: /],
  ['investigate', 2, USAGE],
  ['investigate x', 2, /say what to analyse/],
  ['investigate Not_A_Name --day 20131029', 2, /"name"/],
  [`investigate x --keys ${NOWHERE}`, 2, /nowhere cannot be read/],
  ['investigation NotAName', 2, /no name of an investigation: a-z 0-9 -/],
  ['follow', 2, USAGE],
  ['follow 20131029', 1, NO_TEMPORAL],
  ['report 2013', 2, /^Day "2013" is not a calendar day; write YYYYMMDD, such as 20131029$/],
  ['report 20131029', 2, NO_CREDENTIALS],
  [
    'report 20131029',
    1,
    /^the object store at http:\/\/127\.0\.0\.1:2 \(AWS_ENDPOINT_URL_S3\) does not answer: connection refused: see whether it runs, or correct AWS_ENDPOINT_URL_S3, then run the command again$/,
    KEYS,
  ],
  ['export --to x --quiet --format odd', 2, /^odd is no format/],
  ['files', 2, USAGE],
  ['files 20131301', 2, /^Day "20131301" is not a calendar day; write YYYYMMDD/],
  ['merge-results', 2, USAGE],
  [`merge-results -i ${NOWHERE} -o ${work}/o`, 2, /nowhere cannot be read/],
  [`merge-results -i ${work} -o ${work}/o`, 2, /is no file; name the files in it/],
  [`aggregate-submissions -i ${NOWHERE} -o ${work}/o`, 2, /nowhere cannot be read/],
  [`aggregate-submissions -i ${file('list', 'x\n')} -o ${work}/o`, 2, /line 1: expected "key TAB file", found "x"/],
  ['status --max-age-hours soon', 2, /must be a number of hours, found soon/],
  ['quarantine list', 2, NO_CREDENTIALS],
  ['quarantine list', 1, /^the object store at http:\/\/127\.0\.0\.1:2 .* connection refused/, KEYS],
  ['quarantine list --limit 0', 2, /give a number from 1 to 999999/],
  ['quarantine show zz', 2, /at least the first 6 digits/],
  ['collect-garbage --max-deletions x', 2, /must be a whole number above 0/],
  ['schedules list', 1, NO_TEMPORAL],
  [`website publish --source ${NOWHERE}`, 2, /website's folder .*nowhere cannot be read/],
  [`adopt --from ${NOWHERE}`, 2, NO_CREDENTIALS],
  ['acknowledge x', 2, /Say why x is no problem with --reason/],
  ['--local status', 2, /^--local is an option of "npm run -s telemetry -- --local …"/],
  ['status', 2, /TELEMETRY_DONE_QEUE: no such setting; TELEMETRY_DONE_QUEUE is one/, { TELEMETRY_DONE_QEUE: 'x' }],
  ['status', 2, /TELEMETRY_THREADS: must be greater than 0/, { TELEMETRY_THREADS: '0' }],
  ['worker', 1, /^no Temporal server answers at 127\.0\.0\.1:1 \(TransportError: Connection refused\)/],
  [
    'worker',
    2,
    /^TELEMETRY_FILTER_TEMPLATE: .*nowhere cannot be read \(ENOENT\); correct it/,
    { TELEMETRY_FILTER_TEMPLATE: NOWHERE },
  ],
  ['analysis-worker', 2, NO_CREDENTIALS],
  [
    'analysis-worker',
    1,
    /the SQS service at http:\/\/127\.0\.0\.1:3 \(AWS_ENDPOINT_URL_SQS\) does not answer: connection refused/,
    KEYS,
  ],
  [
    'histogram-server',
    1,
    /^the histogram server cannot take requests \(listen EADDRNOTAVAIL: .*\): .* set TELEMETRY_HISTOGRAM_HOST and TELEMETRY_HISTOGRAM_PORT$/,
    { TELEMETRY_HISTOGRAM_HOST: '192.0.2.1', TELEMETRY_HISTOGRAM_UPSTREAM: 'none' },
  ],
];

describe('ordinary mistakes', { concurrency: 2 }, () => {
  for (const [args, exitCode, says, settings = {}] of ROWS) {
    it(`${args.replaceAll(work, '…')} ${Object.keys(settings).join(' ')}`.trim(), async () => {
      const { code, stdout, stderr } = await runToEnd(process.execPath, [resolve('src/cli.ts'), ...args.split(' ')], {
        ...ENVIRONMENT,
        ...settings,
      });
      const said = stderr
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('website: '))
        .join('\n');
      assert.equal(code, exitCode, said);
      assert.match(said, says);
      assert.doesNotMatch(said, /^\s+at /m, 'a stack trace');
      assert.ok(said.length < 900 && said.split('\n').length <= 3, said);
      assert.equal(stdout, '');
      if (process.env['SHOW_MISTAKES'] !== undefined) process.stdout.write(`${args} → ${code}: ${said}\n`);
    });
  }

  it('with --verbose an unexpected error shows where it is from', async () => {
    const { stderr } = await runToEnd(
      process.execPath,
      [resolve('src/cli.ts'), '--verbose', 'quarantine', 'list'],
      ENVIRONMENT,
    );
    assert.match(stderr, /^\s+at /m);
  });

  it('a reader that ends before the output does is none', async () => {
    const child = spawn(process.execPath, [resolve('src/cli.ts'), '--help'], { env: ENVIRONMENT, stdio: 'pipe' });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('--version and --help are none', async () => {
    const version = await runToEnd(process.execPath, [resolve('src/cli.ts'), '--version'], ENVIRONMENT);
    assert.deepEqual([version.code, version.stderr], [0, '']);
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal((await runToEnd(process.execPath, [resolve('src/cli.ts'), 'run-day', '--help'], ENVIRONMENT)).code, 0);
  });
});
