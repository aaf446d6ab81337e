/** Every stored document, damaged in five ways: whoever needs it fails for good, with its full address and what to do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../src/failures.ts';
import { roundRun, stateKeys } from '../../src/state/keys.ts';
import { ALERT_SUBJECT, OPEN_FAILURE } from '../../src/state/alerts.ts';
import { readDocument } from '../../src/state/documents.ts';
import { readGarbagePlan } from '../../src/state/garbage.ts';
import { readForeignReceipt } from '../../src/state/receipts.ts';
import { findRun } from '../../src/state/plan.ts';
import { readRoundTaken } from '../../src/state/rounds.ts';
import { leftoverFacts } from '../../src/watch/leftovers.ts';
import { collectFacts } from '../../src/watch/collect-facts.ts';
import { type Application, eachWithApplication, PREFIX, VERSIONS } from '../fakes/application.ts';
import { DayRun, inputKey, runId } from '../fakes/day-run.ts';
import { failsForGood } from '../fakes/failures.ts';
import { adoptNow, storeOriginal, workedExample } from '../fakes/original-space.ts';
import { versionsOf } from '../fakes/published-space.ts';
import { found, keyOf, publishTwoDays, verifyNow } from '../fakes/verified-space.ts';

const application = eachWithApplication({ pack: { maxFiles: 0, maxBytes: 1000 } });
const signal = new AbortController().signal;
const ROUND = roundRun('20131029T120000Z', runId(9));

/** What an object may hold instead of its document. */
const DAMAGES: readonly (readonly [name: string, damage: (text: string) => string])[] = [
  ['empty', () => ''],
  ['{}', () => '{}'],
  ['truncated', (text) => text.slice(0, Math.floor(text.length / 2))],
  ['of the wrong type', () => '[1]'],
  ['of another release', (text) => text.replace('{', '{"format":2,')],
  ['nested without end', (text) => text.replace('{', `{"format":${'['.repeat(50_000)}${']'.repeat(50_000)},`)],
];

/** Damages an object in place, compressed as it was. */
function damage(app: Application, key: string, change: (text: string) => string): void {
  const { body } = app.analysis.contents.get(key) ?? assert.fail(`no ${key}`);
  const changed = change(app.analysis.text(key));
  app.analysis.store(key, body[0] === 0x1f && body[1] === 0x8b ? gzipSync(changed) : changed);
}

function escaped(text: string): string {
  return text.replaceAll(/[.+*?^${}()|[\]\\]/g, '\\$&');
}

async function staged(app: Application): Promise<DayRun> {
  const day = new DayRun(app);
  await day.analyse([inputKey('nightly/28', 'n1'), inputKey('aurora/27', 'a1')]);
  await day.stage();
  return day;
}

/** A document that a run reads, with the activity that does. */
const READ_BY_RUNS: readonly (readonly [
  what: string,
  prepare: (app: Application) => Promise<DayRun>,
  keyOf: (day: DayRun) => string,
  read: (day: DayRun) => Promise<unknown>,
])[] = [
  ['the plan', staged, (day) => stateKeys.plan(day.run), (day) => day.enqueue()],
  [
    'a receipt',
    staged,
    (day) => stateKeys.receipt(day.run, 1, 'done'),
    (day) => day.app.run('mergeChunk', { run: day.run, chunk: 1, tasks: 2, chunkTasks: day.app.settings.chunkTasks }),
  ],
  [
    'the head of a chunk',
    staged,
    (day) => keyOf(day.app.analysis, /chunks\/1-2-0\.json$/),
    (day) => {
      day.app.analysis.contents.delete(stateKeys.contribution(day.run));
      const chunks = [{ chunk: 1, done: 2, failed: 0 }];
      return day.app.run('buildContribution', { run: day.run, day: day.day, tasks: 2, chunks });
    },
  ],
  ['the contribution', staged, (day) => stateKeys.contribution(day.run), (day) => day.commit()],
  ['the plan of the publication', staged, (day) => stateKeys.publication(day.run, 1), (day) => day.commit()],
  ['a staged snapshot', staged, (day) => stateKeys.staged(day.run, 1, 0), (day) => day.commit()],
  ['the ledger', staged, (day) => versionsOf(day.app).head.ledger, (day) => day.commit()],
];

for (const [what, prepare, key, read] of READ_BY_RUNS) {
  describe(`${what} of a run`, () => {
    for (const [name, change] of DAMAGES) {
      it(`that is ${name} is StateDamaged, with its address and what to do`, async () => {
        const day = await prepare(application());
        const damaged = key(day);
        damage(day.app, damaged, change);
        const told = new RegExp(`^s3://analysis/${escaped(damaged)} is damaged: .*; .*bucket’s versions`);
        await failsForGood(read(day), FailureType.StateDamaged, told);
      });
    }

    it('that is gone is StateDamaged too, where it must be there', async () => {
      const day = await prepare(application());
      const gone = key(day);
      day.app.analysis.contents.delete(gone);
      if (what === 'a receipt') return;
      const told = new RegExp(`^s3://analysis/${escaped(gone)} does not exist \\(`);
      await failsForGood(read(day), FailureType.StateDamaged, told);
    });
  });
}

describe('parts and lists of a run', () => {
  for (const [name, content] of [
    ['empty', ''],
    ['no zstd', 'no part'],
    ['gone', undefined],
  ] as const) {
    it(`a chunk part that is ${name} is StateDamaged, with its address`, async () => {
      const day = await staged(application());
      const part = keyOf(day.app.analysis, /chunks\/.*nightly\/28.*\.zst$/);
      if (content === undefined) day.app.analysis.contents.delete(part);
      else day.app.analysis.store(part, content);
      day.app.analysis.contents.delete(stateKeys.contribution(day.run));
      const chunks = [{ chunk: 1, done: 2, failed: 0 }];
      await failsForGood(
        day.app.run('buildContribution', { run: day.run, day: day.day, tasks: 2, chunks }),
        FailureType.StateDamaged,
        new RegExp(`^s3://analysis/${escaped(part)} (?:is damaged|does not exist)`),
      );
    });
  }

  for (const [name, content] of [
    ['no gzip', 'no list'],
    ['truncated', gzipSync('a\nb\n').subarray(0, 12)],
    ['gone', undefined],
  ] as const) {
    it(`a list of files that is ${name} is StateDamaged, with its address`, async () => {
      const app = application();
      await publishTwoDays(app);
      const list = keyOf(app.analysis, /20131029.*files-processed-/);
      if (content === undefined) app.analysis.contents.delete(list);
      else app.analysis.store(list, content);
      await failsForGood(
        app.run('updateProjections', undefined),
        FailureType.StateDamaged,
        new RegExp(`^s3://analysis/${escaped(list)} (?:is damaged|does not exist)`),
      );
    });
  }
});

describe('documents beside the path of a day', () => {
  const cases: readonly (readonly [what: string, key: string, read: (app: Application) => Promise<unknown>])[] = [
    [
      'an open failure',
      stateKeys.openFailure('daily-analysis', '20131029'),
      (app) => readDocument(app.analysis, stateKeys.openFailure('daily-analysis', '20131029'), OPEN_FAILURE, signal),
    ],
    [
      'the mark of an undelivered alert',
      stateKeys.undelivered('r', 'failed'),
      (app) => readDocument(app.analysis, stateKeys.undelivered('r', 'failed'), ALERT_SUBJECT, signal),
    ],
    [
      'the plan of a garbage collection',
      stateKeys.garbagePlan('g'),
      (app) => readGarbagePlan(app.analysis, 'g', signal),
    ],
    [
      'the receipt of a foreign result',
      stateKeys.foreignReceipt(`${runId(9)}/1`, 'done'),
      (app) => readForeignReceipt(app.analysis, `${runId(9)}/1`, 'done', signal),
    ],
    ['the index of a run', stateKeys.runIndex(runId(9)), (app) => findRun(app.analysis, runId(9), signal)],
    [
      'the list of results that a round took',
      stateKeys.roundTaken(ROUND),
      (app) => readRoundTaken(app.analysis, ROUND, signal),
    ],
  ];
  for (const [what, key, read] of cases) {
    for (const [name, change] of DAMAGES) {
      it(`${what} that is ${name} is StateDamaged, with its address`, async () => {
        const app = application();
        app.analysis.store(key, change('{"subject":"s","job":"j"}'));
        await assert.rejects(
          () => read(app),
          (error) => {
            assert.ok(error instanceof ApplicationFailure);
            assert.deepEqual([error.type, error.nonRetryable], ['StateDamaged', true]);
            assert.ok(error.message.startsWith(`s3://analysis/${key} is damaged: `), error.message);
            return true;
          },
        );
      });
    }
  }
});

describe('those who look at a data set with a damaged document', () => {
  const TARGETS: readonly (readonly [what: string, pattern: RegExp])[] = [
    ['plan', /20131029.*plan\.ndjson\.gz$/],
    ['chunk head', /20131029.*chunks\/[\d-]+\.json$/],
    ['contribution', /20131029.*contribution\.json$/],
  ];
  for (const [what, pattern] of TARGETS) {
    for (const [name, change] of DAMAGES) {
      it(`verify tells of a ${what} that is ${name}, and goes on`, async () => {
        const app = application();
        await publishTwoDays(app);
        const key = keyOf(app.analysis, pattern);
        damage(app, key, change);
        const report = await verifyNow(app);
        assert.ok(
          found(report).some((finding) => /error I[18] damaged/.test(finding)),
          found(report).join(),
        );
        assert.ok(report.findings.some(({ where }) => where === `s3://analysis/${key}`));
      });
    }
  }

  for (const [name, change] of DAMAGES) {
    it(`status, garbage collection and adoption tell of a ledger that is ${name}`, async () => {
      const app = application();
      await publishTwoDays(app);
      const key = versionsOf(app).head.ledger;
      damage(app, key, change);
      const told = new RegExp(`s3://analysis/${escaped(key)} is damaged`);
      const { dataSet } = await collectFacts(
        { ...app.ports(), temporal: () => Promise.reject(new Error('no server')) },
        { publishedPrefix: PREFIX, taskQueue: 't', doneQueue: 'd', workerTaskQueue: 'w', adoptsForeignResults: false },
        new Date(app.clock.now),
      );
      assert.ok('unknown' in dataSet);
      assert.match(dataSet.unknown, told);
      assert.equal(dataSet.type, 'StateDamaged');
      const collection = { id: 'g', force: false, maxDeletions: 100 };
      await failsForGood(app.run('planGarbage', collection), FailureType.StateDamaged, told);
      const after = (await verifyNow(app)).findings.map(({ where }) => where);
      assert.ok(after.includes(`s3://analysis/${key}`));
      assert.ok(app.published.contents.has(VERSIONS));
    });

    it(`adoption does not use a record of an adopted folder that is ${name}`, async () => {
      const app = application();
      storeOriginal(app, workedExample());
      app.trace.fail({ method: 'createOnce', key: /state\/ledgers/ });
      await assert.rejects(adoptNow(app), /injected fault/);
      app.trace.clear();
      const key = keyOf(app.analysis, /state\/adoption\/folders\/.*nightly/);
      damage(app, key, change);
      const before = app.published.text(VERSIONS);
      await failsForGood(
        adoptNow(app),
        FailureType.StateDamaged,
        new RegExp(`^s3://analysis/${escaped(key)} is damaged: `),
      );
      assert.equal(app.published.text(VERSIONS), before);
    });

    it(`status shows quarantine and open failures that are ${name} as not readable`, async () => {
      const app = application();
      for (const key of [stateKeys.quarantine('ab'.repeat(32)), stateKeys.openFailure('daily-analysis', '20131029')])
        app.analysis.store(key, change('{"what":1}'));
      const { quarantine, openFailures } = await leftoverFacts(app.analysis, new Date(app.clock.now), signal);
      assert.deepEqual(quarantine.reasons, { unreadable: 1 });
      assert.deepEqual(
        openFailures.map(({ message }) => message),
        ['not readable'],
      );
    });
  }
});
