/** What the twins of the fault tests take out is still there, in one place each. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Mutation, MUTATIONS } from '../faults/harness/mutations.ts';

describe('mutations', () => {
  for (const [name, mutation] of Object.entries<Mutation>(MUTATIONS)) {
    it(`${name}: ${mutation.without}`, async () => {
      const source = await readFile(join('src', mutation.file), 'utf8');
      assert.equal(source.split(mutation.find).length - 1, 1, `${mutation.file} has ${mutation.find}`);
    });
  }
});
