import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { decodableText } from '../../local/samples/containers.ts';
import { type SampleCounts } from '../../local/samples/counts.ts';
import { generateSamples } from '../../local/samples/generate.ts';
import { bucketsOf } from '../../src/histograms/buckets.ts';
import type { DatedCounts } from '../../src/pipeline/changes/dated-counts.ts';
import { changesOfSeries } from '../../src/pipeline/changes/series-changes.ts';

const KEY =
  /^(saved_session|idle_daily|flash_video)\/(Firefox|Fennec|Thunderbird)\/(nightly|aurora|beta)\/([0-9.ab]+)\/([0-9]{14})\.([0-9]{8})\.v2\.log\.[0-9a-f]{32}\.(lzma|xz)$/;
const DAYS = ['20131029', '20131030'];

interface Sample {
  readonly info: { OS: string; version: string | number; arch: string; revision?: string };
  readonly histograms: Record<string, (number | null)[]>;
  readonly simpleMeasurements: Record<string, unknown>;
}

let folder: string;
let counts: SampleCounts;
let keys: string[];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samples-'));
  counts = await generateSamples({ seed: 'test', days: DAYS, directory: folder });
  keys = await objectKeys(folder);
});
after(() => rm(folder, { recursive: true, force: true }));

async function objectKeys(directory: string): Promise<string[]> {
  const root = join(directory, 'submissions');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
}

async function linesOf(key: string, directory = folder): Promise<string[]> {
  const text = await decodableText(await readFile(join(directory, 'submissions', key)));
  return text.split('\n').slice(0, -1);
}

/** The record of a line, or the name of what is wrong with it. */
function read(line: string): Sample | string {
  const tab = line.indexOf('\t');
  if (tab < 0) return 'no_tab';
  let record: Partial<Sample>;
  try {
    record = JSON.parse(line.slice(tab + 1)) as Partial<Sample>;
  } catch {
    return 'bad_json';
  }
  if (record.info === undefined) return 'no_info';
  if (record.info.revision !== undefined && typeof record.info.revision !== 'string') return 'bad_revision';
  return record as Sample;
}

/** GC_MS of nightly/28 by build date, as submissions of a folder show it. */
async function seriesOf(directory: string): Promise<DatedCounts[]> {
  const dates = new Map<string, { counts: number[]; submissions: number }>();
  for (const key of (await objectKeys(directory)).filter((name) => name.includes('/nightly/28.0a1/'))) {
    const date = KEY.exec(key)?.[5]?.slice(0, 8) ?? '';
    const lines = await linesOf(key, directory).catch(() => []);
    for (const row of lines.map(read).flatMap((one) => (typeof one === 'string' ? [] : [one.histograms['GC_MS']]))) {
      if (row === undefined || row.length !== 55) continue;
      const known = dates.get(date) ?? { counts: row.slice(0, -5).map(() => 0), submissions: 0 };
      for (const bucket of known.counts.keys()) known.counts[bucket]! += row[bucket] ?? 0;
      known.submissions += 1;
      dates.set(date, known);
    }
  }
  return [...dates].map(([date, sums]) => ({ date, ...sums, sum: -1 })).toSorted((a, b) => (a.date < b.date ? -1 : 1));
}

describe('the planted change of the demo', () => {
  const days = ['20131028', '20131029'];
  const draw = async (seed: string, more: { plantedChange?: true }): Promise<DatedCounts[]> => {
    const directory = await mkdtemp(join(folder, 'planted-'));
    await generateSamples({ seed, days, directory, measures: 12, channelVersions: ['nightly/28'], ...more });
    return seriesOf(directory);
  };
  const find = (dates: readonly DatedCounts[]) => {
    const bounds = bucketsOf({ kind: 'exponential', low: 1, high: 10_000, n_buckets: 50 }).bounds ?? [];
    const scale = { kind: 'exponential', bounds };
    return changesOfSeries({ channelVersion: 'nightly/28', measure: 'GC_MS', by: 'build', scale, dates }).found;
  };

  for (const seed of ['telemetry', 'another', 'third'])
    it(`is found, and nothing beside it: ${seed}`, async () => {
      const [change, ...others] = find(await draw(seed, { plantedChange: true }));
      assert.deepEqual(others, []);
      assert.deepEqual([change?.kind, change?.date, change?.direction], ['step', '20131025', 'up']);
      assert.ok(Math.abs((change?.relative ?? 0) - 1) < 0.25, String(change?.relative));
    });

  it('is in no other samples', async () => {
    const dates = await draw('telemetry', {});
    assert.deepEqual(
      dates.map(({ date }) => date),
      ['20130814', '20131025', '20131027'],
    );
    assert.deepEqual(find(dates), []);
  });
});

describe('sample submissions', () => {
  it('have keys of the input bucket, apart from the stray object', () => {
    assert.deepEqual(
      keys.filter((key) => !KEY.test(key)),
      [counts.strayObject],
    );
    assert.equal(keys.length, counts.files + 4);
  });

  it('hold exactly what the counts say', async () => {
    const readable = keys.filter(
      (key) => ![counts.strayObject, counts.emptyObject, counts.wrongContainer].includes(key),
    );
    const tally = new Map<string, number>();
    for (const key of readable) for (const name of await findingsIn(key)) tally.set(name, (tally.get(name) ?? 0) + 1);

    const expected: [string, number][] = [
      ['records', counts.records],
      ['badHistograms', counts.badHistograms],
      ...Object.entries(counts.badLines),
    ];
    for (const [day, versions] of Object.entries(counts.submissions)) {
      for (const [version, reasons] of Object.entries(versions)) {
        for (const [reason, number] of Object.entries(reasons)) expected.push([`${day} ${version} ${reason}`, number]);
      }
    }
    assert.deepEqual(Object.fromEntries(tally), Object.fromEntries(expected));
    assert.ok(expected.every(([, number]) => number > 0));
  });

  /** One name for everything countable in a file. */
  async function findingsIn(key: string): Promise<string[]> {
    const [, reason = '', , channel = '', version = '', , day = ''] = KEY.exec(key) ?? [];
    const records = (await linesOf(key)).map(read);
    return records.flatMap((record) => {
      if (typeof record === 'string') return [record];
      const isBad = Object.values(record.histograms).some((row) => row.includes(null));
      const group = `${day} ${channel}/${version.split('.')[0] ?? ''} ${reason}`;
      return ['records', group, ...(isBad ? ['badHistograms'] : [])];
    });
  }

  it('give each day of each channel/version the 100 saved sessions that charts ask for', () => {
    const versions = Object.keys(counts.submissions[DAYS[0] ?? ''] ?? {});
    assert.deepEqual(versions.toSorted(), ['aurora/26', 'aurora/27', 'beta/25', 'beta/26', 'nightly/27', 'nightly/28']);
    for (const day of DAYS) {
      for (const version of versions) assert.ok((counts.submissions[day]?.[version]?.['saved_session'] ?? 0) >= 100);
    }
  });

  it('include builds that are older than 60 days', () => {
    const ages = keys.map((key) => KEY.exec(key)).filter((match) => match !== null);
    assert.ok(ages.some(([, , , , , build = '']) => build < '20130830'));
  });

  it('carry rows that fit their definitions, with the statistics of their kind', async () => {
    const { histograms } = await firstGoodRecord('nightly/28.0a1');
    assert.ok(Object.keys(histograms).length >= 80);
    const rowOf = (name: string): readonly (number | null)[] => histograms[name] ?? assert.fail(`${name} is missing`);
    for (const [name, row] of Object.entries(histograms)) {
      assert.ok(
        row.every((value) => Number.isFinite(value)),
        name,
      );
      const [sum, log, logSquares, low, high] = row.slice(-5) as number[];
      assert.ok((sum ?? -1) >= 0, name);
      const isExponential = low === -1 && high === -1;
      assert.equal(log !== -1 && logSquares !== -1, isExponential, name);
    }
    const known: [string, number][] = [
      ['GC_MS', 50],
      ['GC_REASON_2', 102],
      ['HTTP_PAGE_OK', 3],
      ['HTTP_PAGE_BUSY', 25],
    ];
    for (const [name, buckets] of known) if (name in histograms) assert.equal(rowOf(name).length, buckets + 5, name);
  });

  async function firstGoodRecord(part: string): Promise<Sample> {
    const key = keys.find(
      (each) =>
        each.includes(`saved_session/Firefox/${part}`) && each !== counts.emptyObject && each !== counts.wrongContainer,
    );
    for (const line of await linesOf(key ?? '')) {
      const record = read(line);
      if (typeof record !== 'string') return record;
    }
    assert.fail(`no good record in ${String(key)}`);
  }

  it('name revisions whose definitions are there: all kinds, numbers as text, expressions and symbols', async () => {
    const { info } = await firstGoodRecord('nightly/28.0a1');
    const [, repository = '', changeset = ''] =
      /^http:\/\/hg\.mozilla\.org\/(.+)\/rev\/([0-9a-f]{12})$/.exec(info.revision ?? '') ?? [];
    const text = await readFile(join(folder, 'definitions', repository, changeset, 'Histograms.json'), 'utf8');
    const definitions = JSON.parse(text) as Record<string, { kind: string; high?: unknown; n_values?: unknown }>;
    assert.ok(Object.keys(definitions).length >= 120);
    const kinds = new Set(Object.values(definitions).map(({ kind }) => kind));
    assert.deepEqual([...kinds].toSorted(), ['boolean', 'enumerated', 'exponential', 'flag', 'linear']);
    assert.equal(definitions['GC_MS']?.high, '10 * 1000');
    assert.equal(definitions['GC_REASON_2']?.n_values, 'JS::gcreason::NUM_TELEMETRY_REASONS');
    assert.ok('STARTUP_CRASH_DETECTED' in definitions);
  });

  it('are the same bytes for the same seed and other bytes for another', async () => {
    const other = await mkdtemp(join(tmpdir(), 'samples-'));
    try {
      const small = { days: ['20131029'], directory: other, files: 3, submissionsPerFile: 2 };
      await generateSamples({ ...small, seed: 'one' });
      const first = await contents(other);
      await rm(join(other, 'samples.json'));
      await generateSamples({ ...small, seed: 'one' });
      assert.deepEqual(await contents(other), first);
      await generateSamples({ ...small, seed: 'two' });
      assert.notDeepEqual(await contents(other), first);
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });

  async function contents(directory: string): Promise<[string, string][]> {
    const found = await objectKeys(directory);
    return Promise.all(
      found.map(async (key) => [key, await readFile(join(directory, 'submissions', key), 'hex')] as [string, string]),
    );
  }

  it('are not made again when they are there', async () => {
    const victim = join(folder, 'submissions', counts.strayObject ?? '');
    await rm(victim);
    assert.deepEqual(await generateSamples({ seed: 'test', days: DAYS, directory: folder }), counts);
    await assert.rejects(readFile(victim), { code: 'ENOENT' });
  });

  it('come in benchmark size: that many full files, repeating a few records', async () => {
    const other = await mkdtemp(join(tmpdir(), 'samples-'));
    try {
      const made = await generateSamples({
        seed: 's',
        days: ['20131029'],
        directory: other,
        files: 4,
        submissionsPerFile: 6,
        distinctPerFile: 2,
      });
      assert.deepEqual([made.files, made.records, made.truncatedFile], [4, 24, null]);
      const [key = ''] = await objectKeys(other);
      const lines = await linesOf(key, other);
      assert.equal(lines.length, 6);
      assert.equal(new Set(lines.map((line) => line.split('\t')[1])).size, 2);
      assert.equal(new Set(lines.map((line) => line.split('\t')[0])).size, 6);
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });
});
