/** The page and the commands have one word for each reason why a file is missing. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { reasonsInWords } from '../../src/pipeline/reason-words.ts';
import { REASON_WORDS, reasonsText } from '../../website/page/views/reason-words.ts';

it('a reason is called on the page what the commands call it', () => {
  for (const [reason, words] of Object.entries(REASON_WORDS)) assert.equal(words, reasonsInWords({ [reason]: 1 }));
  assert.equal(
    reasonsText([
      ['bad_container', 3],
      ['new_reason', 1],
    ]),
    'corrupt 3, new reason 1',
  );
});
