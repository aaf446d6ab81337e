/** Bytes in the input bucket become the published data set, through real processes over loopback. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { generateSamples } from '../../local/samples/generate.ts';
import type { SampleCounts } from '../../local/samples/counts.ts';
import type { DailyAnalysisResult } from '../../src/workflows/daily-analysis.ts';
import { duckRows, readMeasure } from '../fakes/parquet-readers.ts';
import { Deployment } from './deployment.ts';

const DAYS = ['20131028', '20131029'];
const CHANNEL_VERSIONS = ['nightly/28', 'aurora/27', 'beta/26'];
let samples: string;
let counts: SampleCounts;
let deployment: Deployment;

before(async () => {
  samples = await mkdtemp(join(tmpdir(), 'samples-'));
  counts = await generateSamples({
    ...{ seed: 'system', days: DAYS, directory: samples, submissionsPerFile: 40 },
    ...{ measures: 6, channelVersions: CHANNEL_VERSIONS },
  });
  deployment = await Deployment.start({
    TELEMETRY_DEFINITIONS: join(samples, 'definitions'),
    TELEMETRY_MAX_TASK_FILES: '6',
    TELEMETRY_CHUNK_TASKS: '3',
  });
  await deployment.load(join(samples, 'submissions'));
  deployment.startProcess('worker');
  deployment.startProcess('analysis-worker');
});

after(async () => {
  await deployment.stop();
  await rm(samples, { recursive: true, force: true });
});

async function runDay(day: string): Promise<DailyAnalysisResult> {
  const { code, stdout, stderr } = await deployment.telemetry('run-day', '--day', day, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as DailyAnalysisResult;
}

function savedSessions(day: string): number {
  return Object.values(counts.submissions[day] ?? {}).reduce(
    (sum, reasons) => sum + (reasons['saved_session'] ?? 0),
    0,
  );
}

/** Sums of a measure over all its rows: count of submissions, by channel/version. */
function submissionsIn(files: ReadonlyMap<string, string>, measure: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [name, json] of files) {
    const match = new RegExp(`^(.+/.+)/${measure}-by-submission-date\\.json$`).exec(name);
    if (match === null) continue;
    const rows = Object.values(JSON.parse(json) as Record<string, number[][]>).flat();
    found.set(
      match[1] ?? '',
      rows.reduce((sum, row) => sum + (row.at(-2) ?? 0), 0),
    );
  }
  return found;
}

/** Of a file of a measure; nothing for any other, and for one without rows. */
function sumsOf(
  name: string,
  text: string,
): { name: string; submissions: number; count: number; total: number | null }[] {
  if (!/-by-(?:build|submission)-date\.json$/.test(name)) return [];
  const rows = Object.values(JSON.parse(text) as Record<string, number[][]>).flat();
  if (rows.length === 0) return [];
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const isSimple = name.includes('/SIMPLE_MEASURES_');
  const recorded = rows.map((row) => row.at(-7) ?? 0).filter((value) => isSimple || value !== -1);
  const total = recorded.length === 0 ? null : sum(recorded);
  return [
    {
      name,
      submissions: sum(rows.map((row) => row.at(-2) ?? 0)),
      count: sum(rows.flatMap((row) => row.slice(0, -7))),
      total,
    },
  ];
}

async function folderOf(channelVersion: string): Promise<string> {
  const versions = (await (await fetch(`${deployment.stack.links.dataset}versions.json`)).json()) as Record<
    string,
    string
  >;
  return versions[channelVersion] ?? '';
}

describe('a day of submissions', () => {
  it('is analysed and published: every submission counted, every count in the result', async () => {
    for (const day of DAYS) {
      const result = await runDay(day);
      assert.equal(result.planned, result.done + result.failed + result.missing);
      assert.equal(result.failed + result.missing, 0);
      assert.ok(result.planned > 3, 'several chunks');
      assert.equal(result.records, savedSessions(day), day);
      assert.equal(result.decision, 'published');
      assert.equal(result.published.length, CHANNEL_VERSIONS.length);
    }
  });

  it('shows one commit a day, projections and complete folders', async () => {
    const versions = (await (await fetch(`${deployment.stack.links.dataset}versions.json`)).json()) as {
      $head: { seq: number };
    } & Record<string, string>;
    assert.equal(versions.$head.seq, DAYS.length);
    for (const folder of Object.values(versions)) {
      if (typeof folder !== 'string') continue;
      const manifest = (await (await fetch(`${deployment.stack.links.dataset}${folder}/_manifest.json`)).json()) as {
        files: { name: string }[];
      };
      assert.ok(
        manifest.files.some(({ name }) => name === 'filter-tree.json'),
        folder,
      );
    }
    const processed = (await (await fetch(`${deployment.stack.links.dataset}FILES_PROCESSED`)).text())
      .trimEnd()
      .split('\n');
    const missing = (await (await fetch(`${deployment.stack.links.dataset}FILES_MISSING`)).text())
      .trimEnd()
      .split('\n');
    assert.deepEqual(missing, [counts.wrongContainer]);
    assert.deepEqual(processed, [...new Set(processed)].sort());
    assert.ok(!processed.includes(counts.wrongContainer ?? ''));
  });

  it('publishes as many GC_MS submissions as went in', async () => {
    const published = submissionsIn(await deployment.exported(), 'GC_MS');
    for (const [channelVersion, sum] of published) {
      const expected = DAYS.reduce(
        (total, day) => total + (counts.submissions[day]?.[channelVersion]?.['saved_session'] ?? 0),
        0,
      );
      assert.ok(sum > 0 && sum <= expected, `${channelVersion}: ${sum} of ${expected}`);
    }
    assert.ok(published.has('nightly/28'));
  });

  it('shows the same sums in the tables for analysts: exported to DuckDB, and over HTTP by ranges', async () => {
    const to = join(deployment.directory, 'tables');
    const { code, stderr } = await deployment.telemetry('export', '--to', to, '--format', 'parquet');
    assert.equal(code, 0, stderr);
    const sums = await duckRows(`
      select channel || '/' || version || '/' || measure || '-by-' || date_of || '-date.json' as name,
        sum(submissions)::double as submissions, sum(list_sum(counts))::double as count, sum("sum") as total
      from '${to}/*/aggregates.parquet' group by name order by name`);
    const expected = [...(await deployment.exported())].flatMap(([name, text]) => sumsOf(name, text));
    assert.deepEqual(
      sums,
      expected.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
    assert.ok(sums.length > 0);

    const url = `${deployment.stack.links.dataset}${await folderOf('nightly/28')}/aggregates.parquet`;
    const { rows } = await readMeasure(url, 'GC_MS');
    const submissions = rows
      .filter((row) => row['date_of'] === 'build')
      .reduce((sum, row) => sum + Number(row['submissions']), 0);
    assert.equal(submissions, sums.find(({ name }) => name === 'nightly/28/GC_MS-by-build-date.json')?.['submissions']);
  });

  it('run again with the same input changes no snapshot and doubles nothing', async () => {
    const before = await deployment.exported();
    const result = await runDay('20131028');
    assert.deepEqual(result.published, []);
    assert.deepEqual(await deployment.exported(), before);
  });
});

describe('an investigation', () => {
  it('started by the temporal CLI ends with a merged result and an unchanged data set', async () => {
    const before = await deployment.published.head('v7/versions.json');
    const started = await deployment.temporal(
      'workflow',
      'execute',
      '--type',
      'investigation',
      '--task-queue',
      'telemetry',
      '--workflow-id',
      'investigation-cli',
      '--input',
      '{"name":"cli","day":"20131029"}',
      '--output',
      'json',
    );
    assert.equal(started.code, 0, started.stderr + started.stdout);
    const result = (await deployment.analysis.get('investigations/cli/result.txt')).body.toString('utf8');
    const report = JSON.parse(
      (await deployment.analysis.get('investigations/cli/report.json')).body.toString('utf8'),
    ) as { records: number; lines: number; planned: number; done: number };
    assert.equal(report.records, savedSessions('20131029'));
    assert.equal(report.lines, result.trimEnd().split('\n').length);
    assert.equal(report.planned, report.done);
    assert.deepEqual(await deployment.published.head('v7/versions.json'), before);
    const queues = await deployment.telemetry('investigate', 'no-such-key', '--keys', join(samples, 'none.txt'));
    assert.equal(queues.code, 2, 'a key list that cannot be read is refused before anything starts');
  });

  it('of a key list reports missing keys and analyses the others', async () => {
    const keys = join(samples, 'keys.txt');
    await writeFile(
      keys,
      `${counts.truncatedFile ?? ''}\n\nsaved_session/Firefox/nightly/28.0a1/20131028030205.20131028.v2.log.0000.lzma\n${counts.truncatedFile ?? ''}\n`,
    );
    const { code, stdout, stderr } = await deployment.telemetry('investigate', 'keys', '--keys', keys, '--json');
    assert.equal(code, 0, stderr);
    const result = JSON.parse(stdout) as {
      planned: number;
      files: { processed: number; missing: number; partial: number };
    };
    assert.deepEqual([result.planned, result.files], [1, { processed: 1, missing: 1, partial: 1 }]);
  });

  it('leaves a report and a result that commands show', async () => {
    const file = join(samples, 'keys-result.txt');
    const { code, stdout, stderr } = await deployment.telemetry('investigation', 'keys', '--get', file);
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { name: string }).name, 'keys');
    const stored = await deployment.analysis.get('investigations/keys/result.txt');
    assert.equal(await readFile(file, 'utf8'), stored.body.toString('utf8'));
    const unknown = await deployment.telemetry('investigation', 'never');
    assert.deepEqual([unknown.code, unknown.stdout], [2, '']);
    assert.match(unknown.stderr, /^there is no result of the investigation never; "telemetry follow never"/);
    const followed = await deployment.telemetry('follow', 'keys', '--json');
    assert.equal(followed.code, 0, followed.stderr);
    assert.equal((JSON.parse(followed.stdout) as { name: string }).name, 'keys');
  });

  it('that finds nothing fails, and names what it did not find', async () => {
    const keys = join(samples, 'no-keys.txt');
    const gone = 'saved_session/Firefox/nightly/28.0a1/20131028030205.20131028.v2.log.0000.lzma';
    await writeFile(keys, `${gone}\n`);
    const byKeys = await deployment.telemetry('investigate', 'no-keys', '--keys', keys);
    assert.equal(byKeys.code, 2);
    assert.ok(byKeys.stderr.includes(`none of its 1 input files could be read (${gone}: not_found)`), byKeys.stderr);
    const byDay = await deployment.telemetry('investigate', 'no-day', '--day', '20010101');
    assert.equal(byDay.code, 2);
    assert.match(byDay.stderr, /no file of the input bucket matches its filter/);
  });
});

describe('what a day has left', () => {
  it('is shown by its day, whoever started the run', async () => {
    const report = await deployment.telemetry('report', '20131029');
    assert.equal(report.code, 0, report.stderr);
    assert.equal((JSON.parse(report.stdout) as { day: string }).day, '20131029');
    const followed = await deployment.telemetry('follow', '20131029');
    assert.equal(followed.code, 0, followed.stderr);
    assert.match(followed.stdout, /^day +20131029$/m);
    assert.match(followed.stdout, /^left out +\d+ .*no TAB between id and submission/m);
    const files = await deployment.telemetry('files', '20131028');
    assert.match(files.stderr, /^20131028: (\d+) processed, (\d+) missing$/m);
    const processed = Number(/(\d+) processed/.exec(files.stderr)?.[1]);
    assert.equal(files.stdout.trimEnd().split('\n').length, processed);
    const missing = await deployment.telemetry('files', '20131028', '--missing');
    assert.match(missing.stderr, /^20131028: \d+ processed, 1 missing \(corrupt\)$/m);
    for (const line of missing.stdout.trimEnd().split('\n').filter(Boolean)) assert.match(line, /^\S+\t[a-z_]+$/);
    const partial = await deployment.telemetry('files', '20131028', '--partial');
    assert.deepEqual([partial.code, partial.stdout], [0, `${counts.truncatedFile ?? ''}\n`], partial.stderr);
    assert.match(partial.stderr, /^20131028: 1 read in part, which count among the \d+ processed$/m);
    for (const args of [
      ['files', '20131028', '--partial', '--missing'],
      ['report', '20010101'],
      ['files', '2001'],
      ['follow', '20010101'],
    ]) {
      const { code, stdout, stderr } = await deployment.telemetry(...args);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.equal(stderr.trim().split('\n').length, 1, 'one sentence');
    }
  });

  it('of a day without input, or one that was not run, is said in a sentence', async () => {
    assert.equal((await deployment.telemetry('run-day', '--day', '20010102', '--quiet')).code, 0);
    const report = await deployment.telemetry('report', '20010102');
    assert.match(report.stderr, /^20010102 has no input: no file .* filter, so nothing was published$/m);
    assert.deepEqual([report.code, (JSON.parse(report.stdout) as { day: string }).day], [0, '20010102']);
    const files = await deployment.telemetry('files', '20010102');
    assert.deepEqual([files.code, files.stdout], [0, '']);
    assert.match(files.stderr, /^20010102: 0 processed, 0 missing: no file/m);
    const notRun = await deployment.telemetry('report', '20010101');
    assert.match(notRun.stderr, /no run has analysed it; "telemetry run-day --day 20010101" does$/m);
    const ordinary = await deployment.telemetry('report', '20131029');
    assert.match(ordinary.stderr, /^20131029: \d+ input files read.*submissions counted, published in commit \d+$/m);
  });
});

describe('bad input', () => {
  it('ends a command with exit code 2, says what to do, and starts nothing', async () => {
    const template = join(samples, 'template.json');
    await writeFile(template, '{"version":1,"dimensions":[]}');
    for (const [args, message] of [
      [['run-day', '--day', '20130229'], /not a calendar day/],
      [['run-day', '--day', '29990101'], /in the future/],
      [['run-day', '--day', '20131029', '--filter', template], /exactly 6 dimensions/],
      [['investigate', 'Not_A_Name', '--day', '20131029'], /"name"/],
      [['investigate', 'x'], /say what to analyse/],
    ] as const) {
      const { code, stderr } = await deployment.telemetry(...args);
      assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, message);
    }
    const listed = await deployment.temporal('workflow', 'count', '--query', "WorkflowId = 'daily-analysis-29990101'");
    assert.match(listed.stdout, /: 0/);
  });

  it('given by the temporal CLI fails the run once, with a readable message', async () => {
    const { code, stdout, stderr } = await deployment.temporal(
      'workflow',
      'execute',
      '--type',
      'dailyAnalysis',
      '--task-queue',
      'telemetry',
      '--workflow-id',
      'daily-analysis-bad',
      '--input',
      '{"day":"20131029","dya":1,"filter":7}',
    );
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /"dya" is not known/);
    assert.match(stdout + stderr, /"filter" must be a filter document/);
  });
});
