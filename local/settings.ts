/** Settings of the local tools alone: programs of the embedded stack that a person names. `.env.example` lists them last. */
import { z } from 'zod';

const program = z.string().optional();

export const localSchema = z.object({
  TEMPORAL_CLI: program.describe('The temporal binary; default: the one on PATH, or a fetched one.'),
  TEMPORAL_TEST_SERVER: program.describe('The time-skipping test server; default: the one on PATH, or a fetched one.'),
  WEED: program.describe('The SeaweedFS binary of the embedded stack; default: the one on PATH, or a fetched one.'),
});
