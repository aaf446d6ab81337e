/** Settings of the local tools alone: programs of the embedded stack that a person names. `.env.example` lists them last. */
import { z } from 'zod';

const program = z.string().optional();

export const localSchema = z.object({
  TEMPORAL_CLI: program.describe('The temporal binary; else PATH, else fetched.'),
  TEMPORAL_TEST_SERVER: program.describe('The time-skipping test server; else PATH, else fetched.'),
  WEED: program.describe('The SeaweedFS binary of the embedded stack; else PATH, else fetched.'),
});
