/** A commit that would break an invariant is refused for good, and nobody sees anything of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FailureType } from '../../src/failures.ts';
import { NO_METRICS } from '../../src/metrics.ts';
import type { Ledger, LedgerEntry } from '../../src/pipeline/dataset/ledger.ts';
import { stateKeys } from '../../src/state/keys.ts';
import { commitLedger, readPointer } from '../../src/state/pointer.ts';
import { type Application, eachWithApplication, PREFIX, VERSIONS } from '../fakes/application.ts';
import { DayRun, inputKey } from '../fakes/day-run.ts';
import { failsForGood } from '../fakes/failures.ts';
import { versionsOf } from '../fakes/published-space.ts';
import { NEXT, publishTwoDays, rewrite, verifyNow } from '../fakes/verified-space.ts';

function list(value: unknown): object[] {
  assert.ok(Array.isArray(value));
  return value as object[];
}

function withKey(segments: unknown, key: string): object[] {
  return list(segments).map((segment) => ({ ...segment, key }));
}

const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
const signal = new AbortController().signal;

async function commitInPlace(app: Application, change: (ledger: Ledger) => Partial<Ledger>): Promise<void> {
  const stores = { ...app.ports(), publishedPrefix: PREFIX, metrics: NO_METRICS };
  const current = await readPointer(stores, signal);
  const { seq, commit } = current.ledger;
  const next = { ...current.ledger, ...change(current.ledger), seq: seq + 1, commit: 'next', parent: commit };
  await commitLedger(stores, current, next, signal);
}

describe('a commit', () => {
  it('of a contribution whose counts do not add up is refused, by its address and rule', async () => {
    const day = new DayRun(application());
    await day.analyse([inputKey('nightly/28', 'n1')]);
    await day.stage();
    const before = versionsOf(day.app).head;
    rewrite(day.app.analysis, stateKeys.contribution(day.run), (stored) => ({ ...stored, planned: 99 }));
    await failsForGood(
      day.commit(),
      FailureType.StateDamaged,
      /^s3:\/\/analysis\/state\/runs\/.*contribution\.json is damaged.*planned 99 is not done 1 .* \(I8\)/,
    );
    assert.deepEqual(versionsOf(day.app).head, before);
  });

  it('of a staged snapshot that was changed to show another day is refused, by the ledger’s address and rule', async () => {
    const day = new DayRun(application());
    await day.analyse([inputKey('nightly/28', 'n1')]);
    await day.stage();
    const before = day.app.published.text(VERSIONS);
    rewrite(day.app.analysis, stateKeys.staged(day.run, 1, 0), (staged) => ({
      ...staged,
      stored: { base: null, segments: [{ day: '20131001', key: 'state/segments/x', sha: 'ab'.repeat(16), slots: 1 }] },
    }));
    await failsForGood(
      day.commit(),
      FailureType.CommitRefused,
      /^The commit of s3:\/\/analysis\/state\/ledgers\/\w+\.json\.gz to s3:\/\/\S+versions\.json is refused: nightly\/28 counts 20131001, .*breaks I3/,
    );
    assert.equal(day.app.published.text(VERSIONS), before);
    assert.deepEqual(day.app.analysis.keys('state/ledgers/').length, 1);
  });

  const foreign = (change: (stored: Record<string, unknown>) => object) => change;
  for (const [what, change] of [
    ['names a segment outside of the state', foreign(({ segments }) => ({ segments: withKey(segments, 'output/x') }))],
    [
      'names a list of another run',
      foreign(() => ({ filesProcessedKey: 'state/runs/20131001/x/files-processed-0.gz' })),
    ],
    ['is of another day', foreign(() => ({ day: '20131001' }))],
    ['is of another run', foreign(() => ({ runId: '00000000-0000-4000-8000-000000000099' }))],
    ['has a channel/version twice', foreign(({ segments }) => ({ segments: [...list(segments), ...list(segments)] }))],
    ['was planned at no time', foreign(() => ({ planAt: '9999-99-99T99:99:99Z' }))],
  ] as const) {
    it(`of a contribution that ${what} is refused, by its address`, async () => {
      const day = new DayRun(application());
      await day.analyse([inputKey('nightly/28', 'n1')]);
      await day.stage();
      const before = day.app.published.text(VERSIONS);
      rewrite(day.app.analysis, stateKeys.contribution(day.run), (stored) => ({ ...stored, ...change(stored) }));
      const told = /^s3:\/\/analysis\/state\/runs\/.*contribution\.json is damaged/;
      await failsForGood(day.commit(), FailureType.StateDamaged, told);
      assert.equal(day.app.published.text(VERSIONS), before);
    });
  }

  it('of a snapshot that was staged for another channel/version is refused, by its address', async () => {
    const day = new DayRun(application());
    await day.analyse([inputKey('nightly/28', 'n1'), inputKey('aurora/27', 'a1')]);
    await day.stage();
    const [first, second] = [0, 1].map((index) => stateKeys.staged(day.run, 1, index));
    day.app.analysis.store(first ?? '', day.app.analysis.text(second ?? ''));
    await failsForGood(day.commit(), FailureType.StateDamaged, /staged-0\.json is damaged: it is of nightly\/28/);
  });

  it('on a ledger that was changed in place is refused: it is not what its name says', async () => {
    const app = application();
    await publishTwoDays(app);
    const day = new DayRun(app, 3, '20131101');
    await day.analyse([inputKey('nightly/28', 'n1', '20131101')]);
    rewrite(app.analysis, versionsOf(app).head.ledger, (ledger) => ({ ...ledger, days: {} }));
    await failsForGood(day.stage(), FailureType.StateDamaged, /ledgers.*its content is not what its name says/);
  });

  const entryOf = (ledger: Ledger): LedgerEntry => ledger.entries.get(NEXT) ?? assert.fail();
  for (const [what, rule, change] of [
    [
      'counts that do not add up',
      'I8',
      (l: Ledger) => ({ entries: new Map(l.entries).set(NEXT, { ...entryOf(l), planned: 99 }) }),
    ],
    ['a run that counts twice', 'I1', (l: Ledger) => ({ entries: new Map(l.entries).set('20131101', entryOf(l)) })],
    ['a day that leaves', 'I2', (l: Ledger) => ({ entries: new Map([...l.entries].slice(1)) })],
    ['a channel/version that leaves', 'I3', () => ({ channelVersions: new Map() })],
  ] as const) {
    it(`with ${what} is refused (${rule}); the data set stays whole`, async () => {
      const app = application();
      await publishTwoDays(app);
      const before = app.published.text(VERSIONS);
      await assert.rejects(
        () => commitInPlace(app, change),
        (error: Error & { type?: string; nonRetryable?: boolean }) =>
          error.type === 'CommitRefused' && error.nonRetryable === true && error.message.includes(`breaks ${rule}`),
      );
      assert.equal(app.published.text(VERSIONS), before);
      assert.deepEqual((await verifyNow(app)).findings, []);
    });
  }
});
