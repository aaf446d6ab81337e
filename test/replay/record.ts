/**
 * Records the histories of all scenarios that have none: `node test/replay/record.ts`. Run it on released code, never on
 * a change that is under test; a recorded history stays as it is, and a new case gets a file of its own.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { TemporalForTests } from '../fakes/temporal.ts';
import { HISTORIES, readableHistory } from './histories.ts';
import { SCENARIOS } from './scenarios.ts';

await mkdir(HISTORIES, { recursive: true });
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  const file = new URL(`${name}.v1.json`, HISTORIES);
  if (existsSync(file)) continue;
  const temporal = await TemporalForTests.start('development', scenario.serverArgs);
  try {
    const { historyJson } = await temporal.execute(scenario);
    await writeFile(file, readableHistory(historyJson));
    process.stdout.write(`recorded ${name}\n`);
  } finally {
    await temporal.stop();
  }
}
