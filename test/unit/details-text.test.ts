/** Details of runs in the Web UI: Markdown, in which commands can be copied and foreign texts stay what they are. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JOBS } from '../../src/jobs.ts';
import { detailsItem, detailsText } from '../../src/workflows/details-text.ts';

describe('details', () => {
  const cases: [what: string, text: string, shown: string][] = [
    ['plain words', 'rendering the filter (1 of 6)', String.raw`rendering the filter \(1 of 6\)`],
    [
      'a command, with its dashes',
      'counts: "telemetry report 20131029 --run 9bbd" has all; "telemetry status" too',
      'counts: `telemetry report 20131029 --run 9bbd` has all; `telemetry status` too',
    ],
    ['code', '`s3://site/a_b_c`', '`s3://site/a_b_c`'],
    ['a link', '[free](http://example.org)', String.raw`\[free\]\(http://example.org\)`],
    ['an image, emphasis, HTML', '![x](y) *a* _b_ <b>', String.raw`\!\[x\]\(y\) \*a\* \_b\_ \<b\>`],
    ['dashes and quotes outside of a command', '"a" -- b', String.raw`\"a\" \-\- b`],
    [
      'what would end the code of a command',
      '"telemetry x` ![p](https://example.org)"',
      String.raw`\"telemetry x\` \!\[p\]\(https://example.org\)\"`,
    ],
    ['one backtick', 'a ` b', 'a \\` b'],
  ];
  for (const [what, text, shown] of cases) {
    it(`show ${what}`, () => {
      assert.equal(detailsText(text), shown);
    });
  }

  it('have a list of their own for several warnings', () => {
    assert.equal(detailsItem('warnings', 'one\ntwo'), '- warnings:\n  - one\n  - two');
    assert.equal(detailsItem('warnings', 'none'), '- warnings: none');
  });

  it('say of every job how it is followed, in words that a shell takes', () => {
    for (const { details } of Object.values(JOBS)) assert.match(details, /`telemetry [a-z<> -]+`/);
  });
});
