/** Warnings of runs, read by somebody who does not know the formats: what happened, to what, and a command that shows more. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { KNOWN_REASONS } from '../../src/pipeline/known-reasons.ts';
import { reasonsInWords } from '../../src/pipeline/reason-words.ts';
import * as warnings from '../../src/pipeline/dataset/run-warnings.ts';
import { telemetryProgram } from '../../src/program.ts';

const RUN = { day: '20131021', runId: 'f00d' };
const ROUND = { day: 'round-20131021T120000.000Z', runId: 'f00d' };
const GOOD = {
  ...{ planned: 3, done: 3, failed: 0, missing: 0, files: { processed: 9, missing: 0, partial: 0 } },
  ...{ records: 100, skipped: {}, dropped: {}, failedTasks: {} },
};
const files = (missing: number, partial = 0) => ({ files: { processed: 9, missing, partial } });
const FILES = '"telemetry files 20131021 --missing"';
const REPORT = '"telemetry report 20131021 --run f00d" has all counts';
const counted = (counts: object, pending = 0): string[] => warnings.countWarnings(RUN, { ...GOOD, ...counts }, pending);

/** What happened, and what people read. */
const TABLE: readonly (readonly [what: string, warned: string[] | string, text: string])[] = [
  [
    'a corrupt file',
    counted({ ...files(1), missingReasons: { bad_container: 1 } }),
    `1 input file of 20131021 could not be read (corrupt); ${FILES} names it`,
  ],
  [
    'files with several reasons',
    counted({ ...files(4), missingReasons: { not_found: 1, bad_container: 3 } }),
    `4 input files of 20131021 could not be read (3 × corrupt, 1 × no longer in the input bucket); ${FILES} names them`,
  ],
  [
    'files of a run that an earlier release began',
    counted(files(2)),
    `2 input files of 20131021 could not be read; ${FILES} names them`,
  ],
  [
    'a file in part',
    counted(files(0, 1)),
    `1 input file of 20131021 could be read in part only: what was readable is counted; "telemetry files 20131021 --partial" names it`,
  ],
  [
    'a task that was given up',
    counted({ failed: 1, failedTasks: { aborted: 1 } }),
    `1 analysis task of 20131021 gave no result (given up by the worker); ${FILES} names the files`,
  ],
  [
    'tasks without result',
    counted({ missing: 2 }),
    `no result came for 2 analysis tasks of 20131021: their files count as missing; ${FILES} names them, and "telemetry run-day --day 20131021" analyses the day again`,
  ],
  [
    'bad submissions',
    counted({ records: 60, skipped: { bad_json: 30, no_tab: 10, bad_histogram: 1 } }),
    `40 of 100 submissions of 20131021 were left out (30 × not JSON, 10 × no TAB between id and submission, 1 × histogram with impossible numbers); ${REPORT}`,
  ],
  [
    'invented names',
    counted({ skipped: { measures_over_limit: 7 } }),
    `7 measures of results of 20131021 were left out, those that the fewest files and submissions have: there are more names than browsers define, so somebody invents them; ${REPORT}`,
  ],
  [
    'bad histograms',
    counted({ skipped: { bad_histogram: 60 }, badHistograms: { GC_MS: 50, FLAG: 10 } }),
    `60 histograms of 20131021 were left out because the numbers are wrong, most of GC_MS 50, FLAG 10; ${REPORT}`,
  ],
  [
    'parts of results',
    counted({ dropped: { length_mismatch: 2 } }),
    `parts of results of 20131021 were left out while merging (another number of buckets than the others): all else is counted; ${REPORT}`,
  ],
  [
    'measures without definition',
    counted({}, 1),
    '1 measure has no histogram definition yet: the pages show them with buckets derived from the data; "telemetry status" says where, "telemetry setup" whether the source of definitions answers',
  ],
  [
    'a damaged channel/version',
    warnings.damageWarning('nightly/28', 'segment x is gone'),
    'nightly/28 stays as it was, because its stored data is damaged: segment x is gone; "telemetry verify" says what to restore',
  ],
  [
    'made-up measures',
    warnings.undefinedMeasuresWarning(RUN, [{ name: 'nightly/28', count: 5000 }]),
    `measures without a histogram definition are not shown, because there are more of them than can be real (nightly/28: 5000); ${REPORT}`,
  ],
  [
    'rows that cannot be shown',
    [warnings.unfitRowsWarning(RUN, [{ name: 'nightly/28', count: 2 }])],
    `rows of results are not shown, because they have a single bucket, or a name, date or filter that no folder can have (nightly/28: 2); ${REPORT}`,
  ],
  [
    'hidden submissions',
    warnings.hiddenWarning(RUN, [
      { name: 'A of beta/25', count: 1 },
      { name: 'B of beta/25', count: 3 },
    ]),
    `submissions of the newest day are not shown, because their histograms have another number of buckets than those of most new builds (B of beta/25: 3, A of beta/25: 1); ${REPORT}`,
  ],
  [
    'a broken definition file',
    warnings.definitionWarning('line 3 is no JSON'),
    'a file of histogram definitions cannot be used, so its measures are shown with derived buckets: line 3 is no JSON; "telemetry setup" tries the source again',
  ],
  [
    'many warnings',
    warnings.moreWarnings(RUN, 980),
    '980 more warnings: "telemetry report 20131021 --run f00d" shows all of them',
  ],
  [
    'no input',
    warnings.noInputWarning(RUN),
    'no input for 20131021: no file of the input bucket passes the filter; see whether its submissions have arrived and the filter admits them, then "telemetry run-day --day 20131021" analyses it',
  ],
  [
    'a quarantined message',
    warnings.quarantinedWarning(1),
    '1 refusal of a done message: it is in quarantine, not counted; "telemetry quarantine list" says why',
  ],
  [
    'a full quarantine',
    warnings.QUARANTINE_FULL_WARNING,
    'bad done messages are still on the done queue, because the quarantine took no more of them this hour; "telemetry quarantine list" shows which kind they are',
  ],
  [
    'results of files that are counted',
    warnings.countedTwiceWarning(2),
    '2 results were refused and are in quarantine, because the data set counts their input files already; "telemetry quarantine list" shows them',
  ],
  [
    'changes not looked for',
    warnings.changesWarning('no right to write changes.json'),
    'changes.json is of an earlier commit, because the data could not be compared: no right to write changes.json; the next run tries again, "telemetry changes" shows what was found before',
  ],
  [
    'a silent channel/version',
    warnings.changeWarnings('silent', ['nightly/28 sent no submission on 2013-10-21', 'x'], {
      texts: 1,
      cut: (text) => text,
    }),
    'silent: nightly/28 sent no submission on 2013-10-21; "telemetry changes" shows more\nsilent: 1 more; "telemetry changes" shows them',
  ],
];

describe('a warning', () => {
  for (const [what, warned, text] of TABLE)
    it(`of ${what} says what happened to what, and names a command that there is`, () => {
      const given = [warned].flat();
      assert.equal(given.join('\n'), text);
      for (const warning of given) {
        const commands = [...warning.matchAll(/"telemetry ([^"]+)"/g)].map(([, line = '']) => line.split(' '));
        assert.notEqual(commands.length, 0);
        for (const line of commands) assertCommand(telemetryProgram(), line);
      }
    });

  it('is not given for a good run', () => {
    assert.deepEqual(counted({}), []);
    assert.deepEqual(counted({ skipped: { bad_json: 5, bad_histogram: 5 } }), []);
  });

  it('of a round does not advise what only a day can have', () => {
    const [warning = ''] = warnings.countWarnings(ROUND, { ...GOOD, missing: 1 }, 0);
    assert.match(warning, /"telemetry files round-20131021T120000\.000Z --missing" names them$/);
  });

  it('has words for every reason, and for one of an earlier release its name', () => {
    for (const reason of KNOWN_REASONS) assert.doesNotMatch(reasonsInWords({ [reason]: 1 }), /_|^$/, reason);
    assert.equal(reasonsInWords({ constructor: 1 }), 'constructor');
    const many = Object.fromEntries(KNOWN_REASONS.slice(0, 6).map((reason, index) => [reason, 10 - index]));
    assert.match(reasonsInWords(many), /, 11 × other$/);
  });
});

/** Fails unless the program has the command with these options. */
function assertCommand(program: CommandUnknownOpts, words: readonly string[]): void {
  let command = program;
  for (const word of words) {
    const below = command.commands.find((candidate) => candidate.name() === word);
    if (below !== undefined) command = below;
    else if (word.startsWith('--'))
      assert.ok(
        command.options.some(({ long }) => long === word),
        `${command.name()} ${word}`,
      );
    else assert.notEqual(command, program, `no command ${word}`);
  }
}
