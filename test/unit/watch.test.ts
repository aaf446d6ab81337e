import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statusText } from '../../src/commands/status-report.ts';
import { projectionFinding, wantsRepair } from '../../src/watch/rules/data-set-rules.ts';
import type { Facts } from '../../src/watch/rules/facts.ts';
import { exitCodeOfFindings, type Finding, findingLine } from '../../src/findings.ts';
import { isOlder } from '../../src/watch/rules/limits.ts';
import { judge, verdictLine } from '../../src/watch/rules/judge.ts';
import { FINE_SITUATIONS } from '../fakes/fine-situations.ts';
import { FOUND_SITUATIONS } from '../fakes/found-situations.ts';
import { ACKNOWLEDGED, dataSet, leftovers, schedule, WELL } from '../fakes/watched-facts.ts';

const LIMITS = { maxAgeHours: null, runDays: 7 };

function findings(changes: Partial<Facts>): Finding[] {
  return judge({ ...WELL, ...changes }, LIMITS, { kind: 'not tried' });
}

describe('the age of data (docs/operating.md 1.2)', () => {
  for (const [modified, stale] of [
    ['2014-04-23T11:59:59Z', true],
    ['2014-04-23T12:00:00Z', false],
    ['2014-04-24T12:00:01Z', false],
    ['2014-05-01T00:00:00Z', false],
  ] as const) {
    it(`${modified} is ${stale ? '' : 'not '}older than 24 h at noon of the 24th`, () => {
      assert.equal(isOlder(modified, '2014-04-24T12:00:00Z', 24), stale);
    });
  }
});

describe('findings', () => {
  it('none when all is well', () => {
    assert.deepEqual(findings({}), []);
    assert.equal(exitCodeOfFindings([]), 0);
    assert.match(
      verdictLine(WELL, []),
      /^All is well: commit 3 of 2014-04-24T14:00:00.000Z, 1 h old, shows 0 channel.versions\.$/,
    );
  });

  for (const [name, changes, line] of FOUND_SITUATIONS) {
    it(name, () => {
      const found = findings(changes);
      const lines = found.map(findingLine);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', line);
      const [verdict, shown] = statusText({ ...WELL, ...changes }, found).split('\n');
      assert.match(verdict ?? '', /^1 (?:problem|warning|note): |^[12] could not be checked: /);
      assert.equal(shown, `  ${lines[0]}`, 'status says what check prints');
    });
  }

  for (const [name, changes] of FINE_SITUATIONS) {
    it(`none for ${name}`, () => {
      assert.deepEqual(findings(changes).map(findingLine), []);
      assert.match(statusText({ ...WELL, ...changes }, []), /^All is well: /);
    });
  }

  it('a run that was not started yet has a quarter of an hour', () => {
    const late = { ...schedule({ lastScheduledAt: '2014-04-23T13:31:00.000Z' }), ...dataSet({}) };
    assert.deepEqual(findings({ ...late, at: '2014-04-24T13:45:59.000Z' }), []);
    assert.equal(findings({ ...late, at: '2014-04-24T13:46:00.000Z' }).length, 1);
  });

  it('a projection that was repaired is a warning, one that could not be a problem', () => {
    const differing = { differing: ['FILES_MISSING'], behind: false };
    assert.ok(wantsRepair({ ...WELL, projections: { known: differing } }));
    const repaired = projectionFinding(differing, { kind: 'repaired', seq: 3 });
    assert.match(
      findingLine(repaired),
      /^warning: .*FILES_MISSING.*repaired from the ledger of commit 3 → Nothing more/,
    );
    const failed = projectionFinding(differing, { kind: 'failed', message: 'AccessDenied' });
    assert.match(findingLine(failed), /^problem: .*could not be repaired: AccessDenied → /);
  });

  it('the verdict counts the parts that could not be checked, not their causes', () => {
    const gone = { unknown: 'gone', type: null };
    const parts = { dataSet: gone, projections: gone, changes: gone, leftovers: gone };
    const facts = { ...WELL, ...parts };
    assert.match(
      verdictLine(facts, findings(parts)),
      /^4 could not be checked: data set, projections, changes, state\. What is published is not known/,
    );
  });

  it('exit codes: what could not be checked outweighs what is wrong', () => {
    const of = (severity: Finding['severity']): Finding => ({ severity, where: 'x', what: 'y', action: 'z' });
    assert.equal(exitCodeOfFindings([of('warning')]), 1);
    assert.equal(exitCodeOfFindings([of('error')]), 1);
    assert.equal(exitCodeOfFindings([of('error'), of('unchecked')]), 2);
  });

  it('a line has no control characters of what others wrote', () => {
    const [finding] = findings(schedule({ paused: true, note: 'a\u001b[31m\nb' }));
    assert.ok(finding !== undefined);
    assert.doesNotMatch(findingLine(finding), /[\u0000-\u001f]/);
  });
});

describe('the data', () => {
  it('of a channel/version that fell silent is a warning, so all is not well', () => {
    const text = 'aurora/27 sent no submission on 2013-10-30, and about 150 a day before';
    const silences = [{ channelVersion: 'aurora/27', date: '20140423', text }];
    const found = findings({ changes: { known: { seq: 7, changes: 1, newest: [], silences, skipped: 0 } } });
    assert.deepEqual(
      found.map(({ severity, where, what }) => ({ severity, where, what })),
      [{ severity: 'warning', where: 'channel/version aurora/27', what: `it fell silent: ${text}` }],
    );
    assert.equal(exitCodeOfFindings(found), 1);
    // One that is wanted, such as the end of a version, is acknowledged.
    const acknowledged = [{ ...ACKNOWLEDGED, id: 'silence/aurora/27', at: '2014-04-24T00:00:00.000Z' }];
    const changes = { known: { seq: 7, changes: 1, newest: [], silences, skipped: 0 } };
    assert.deepEqual(
      findings({ changes, ...leftovers({ acknowledged }) }).map(({ severity }) => severity),
      ['note'],
    );
  });

  it('that moved is no finding', () => {
    const changes = { known: { seq: 7, changes: 1, newest: ['GC_MS went up'], silences: [], skipped: 0 } };
    assert.deepEqual(findings({ changes }), []);
  });
});
