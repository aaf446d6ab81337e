#!/usr/bin/env node
/** The `telemetry` command: reads the configuration, then hands over to the command named. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { Command } from 'commander';
import { ConfigError, type Config, environment, loadConfig, useEnvironment } from './config.ts';
import { CommandError } from './commands/command-error.ts';
import { STACK_DIRECTORY } from '../local/directories.ts';

type Options = Record<string, unknown>;

const program = new Command('telemetry')
  .description(
    'The telemetry dashboard on Temporal: daily analysis of submissions, from the input bucket to the published data set.',
  )
  .option('--local', 'work on the embedded stack that runs here')
  .option('--local-directory <dir>', `the same for a stack in this directory (default ${STACK_DIRECTORY})`)
  .enablePositionalOptions()
  .showHelpAfterError()
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 failed, 2 input or configuration must be corrected (nothing was written).\nEvery setting: .env.example.',
  );

/** Loads a command's code only when it is called: most commands need neither Temporal's core nor the stack. */
function run(action: (config: Config, options: Options, args: readonly string[]) => Promise<void>) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    attachLocal();
    await action(loadConfig(environment()), command.opts<Options>(), command.args);
  };
}

function attachLocal(always = false): void {
  const { local = always, localDirectory } = program.opts<{ local?: boolean; localDirectory?: string }>();
  if (!local && localDirectory === undefined) return;
  const file = join(localDirectory ?? STACK_DIRECTORY, 'stack.env');
  try {
    useEnvironment(parseEnv(readFileSync(file, 'utf8')) as Record<string, string>);
  } catch (error) {
    throw new CommandError(
      `No embedded stack runs here (${file}: ${(error as Error).message}); start one with "npm run -s telemetry -- up"`,
      { exitCode: 2 },
    );
  }
}

program
  .command('up')
  .description('run the embedded stack (Temporal, S3, SQS) in the foreground')
  .option('--directory <dir>', 'where it keeps its data')
  .action(run(async (config, options) => (await import('../local/demo.ts')).up(config, options)));

program
  .command('demo')
  .description('embedded stack and workers; analyses every day of the sample submissions, then stays up')
  .option('--once', 'exit after publishing')
  .option('--submissions <dir>', "analyse this folder's files instead; relative path = input key")
  .option('--definitions <dir>', 'histogram definitions: <repo path>/<revision>/Histograms.json')
  .option('--export <dir>', 'write the published space as plain files')
  .option('--directory <dir>', 'where the stack keeps its data')
  .action(run(async (config, options) => (await import('../local/demo.ts')).demo(config, options)));

program
  .command('worker')
  .description('run the Temporal worker: workflows and activities')
  .action(run(async (config) => (await import('./worker.ts')).runWorker(config)));

program
  .command('analysis-worker')
  .description('run an analysis worker: analysis tasks → results')
  .option(
    '--processor <command>',
    'run this instead of the built-in aggregation; it gets the output folder as argument and "key TAB path" lines as input',
  )
  .action(
    run(async (config, options) => (await import('./analysis-worker/main.ts')).runAnalysisWorker(config, options)),
  );

program
  .command('histogram-server')
  .description('answer histogram definitions and buckets by revision, over HTTP')
  .action(run(async (config) => (await import('./histogram-server/main.ts')).runHistogramServer(config)));

program
  .command('run-day')
  .description('analyse and publish one day, and follow the run')
  .option('--day <YYYYMMDD>', 'default: yesterday, UTC')
  .option('--filter <file>', 'filter document or template instead of the configured one')
  .option('--allow-future', 'accept a day that has not begun')
  .option('--allow-large-plan', 'analyse more than TELEMETRY_MAX_PLAN_TASKS and _BYTES take for meant')
  .option('--detach', 'start only')
  .option('--json', 'print the result as JSON')
  .action(run(async (config, options) => (await import('./commands/run-day.ts')).runDay(config, options)));

program
  .command('investigate')
  .description('analyse without publishing, on queues of its own')
  .argument('<name>', 'a-z 0-9 -; names the result: investigations/<name>/')
  .option('--day <YYYYMMDD>', 'day that DATE stands for')
  .option('--filter <file>', 'filter document or template instead of the configured one')
  .option('--keys <file>', 'input keys, one a line, instead of a filter')
  .option('--allow-large-plan', 'analyse more than TELEMETRY_MAX_PLAN_TASKS and _BYTES take for meant')
  .option('--detach', 'start only')
  .option('--json', 'print the result as JSON')
  .action(
    run(async (config, options, [name = '']) =>
      (await import('./commands/run-day.ts')).investigate(config, name, options),
    ),
  );

program
  .command('aggregate')
  .description('publish results that other launchers asked for, in rounds, until stopped; follows it')
  .option('--publish-now', 'tell the one that runs to publish what waits')
  .option('--stop', 'tell the one that runs to publish what waits, then to end')
  .option('--detach', 'start only')
  .option('--json', 'print the result as JSON')
  .action(run(async (config, options) => (await import('./commands/aggregate.ts')).aggregate(config, options)));

program
  .command('collect-garbage')
  .description('say what no commit of the data set names any more; the daily schedule removes it')
  .option('--delete', 'remove it now')
  .option('--force', 'remove also when more than half of the folders would go')
  .option('--max-deletions <objects>', 'remove at most so many objects', Number)
  .option('--json', 'print the result as JSON')
  .action(
    run(async (config, options) => (await import('./commands/collect-garbage.ts')).collectGarbage(config, options)),
  );

program
  .command('website')
  .description('the static website')
  .command('publish')
  .description('make the site what its source is, and follow the run; a source named here is published by this process')
  .option('--source <dir>', 'folder instead of the configured source')
  .option('--repository <url>', 'git repository instead of the configured source')
  .option('--branch <name>', 'its branch')
  .option('--force', "publish although many of the site's objects will be deleted")
  .option('--dry-run', 'only say what would be written')
  .option('--json', 'print the result as JSON')
  .action(run(async (config, options) => (await import('./commands/website.ts')).publishWebsite(config, options)));

program
  .command('setup')
  .description('create what a deployment needs and lacks, check the rest; a second run changes nothing')
  .option('--fix', 'also change what exists and differs')
  .option('--send-test-alert', 'send an alert that says it is a test')
  .option('--json', 'print the outcome as JSON')
  .action(run(async (config, options) => (await import('./commands/setup.ts')).setup(config, options)));

for (const [name, description] of [
  ['status', 'what the deployment is doing: verdict, data set, runs, schedules, queues, what is left over'],
  [
    'check',
    'the watchdog, for cron or a monitor: silent when all is well, else a line for each finding; repairs projections',
  ],
] as const) {
  const command = program
    .command(name)
    .description(description)
    .option('--max-age-hours <n>', 'instead of TELEMETRY_MAX_DATA_AGE_HOURS')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 all is well, 1 something is wrong, 2 something could not be checked, or the settings are wrong.',
    );
  if (name === 'check') command.option('--verbose', 'a line also when all is well');
  command.action(run(async (config, options) => (await import('./commands/watch.ts'))[name](config, options)));
}

program
  .command('verify')
  .description(
    'whether what is published is whole: every hash, every count, every folder rendered again; writes nothing',
  )
  .option('--quick', 'names, sizes and documents only: no content of folders, segments and lists')
  .option('--strict', 'exit code 1 also for notes, such as a folder that no commit names yet')
  .option('--json', 'print the report as JSON')
  .addHelpText(
    'after',
    '\nExit codes: 0 whole, 1 something is wrong, 2 it could not be checked, or the settings are wrong.',
  )
  .action(run(async (config, options) => (await import('./commands/verify.ts')).verify(config, options)));

const quarantine = program.command('quarantine').description('what was refused, kept with its reason');
quarantine
  .command('list')
  .description('newest first')
  .option('--limit <number>', 'show at most so many (default 100)')
  .option('--json', 'print as JSON')
  .action(run(async (config, options) => (await import('./commands/quarantine.ts')).quarantineList(config, options)));
quarantine
  .command('show')
  .argument('<sha>', 'its first digits, 6 or more')
  .option('--json', 'print as JSON')
  .action(
    run(async (config, options, [sha = '']) =>
      (await import('./commands/quarantine.ts')).quarantineShow(config, sha, options),
    ),
  );
quarantine
  .command('release')
  .description('send back to where it came from, to be judged again, once its reason is gone')
  .argument('<sha...>', 'their first digits, 6 or more')
  .option('--json', 'print the outcome as JSON')
  .action(
    run(async (config, options, shas) =>
      (await import('./commands/quarantine.ts')).quarantineRelease(config, shas, options),
    ),
  );

program
  .command('bundle-workflows')
  .description('write the workflow code as one file, for TELEMETRY_WORKFLOW_BUNDLE')
  .requiredOption('--output <file>', 'file to write')
  .action(
    run(async (_, options) => {
      const bytes = await (await import('./workflow-bundle.ts')).writeWorkflowBundle(String(options['output']));
      process.stdout.write(`${String(options['output'])}: ${bytes} bytes\n`);
    }),
  );

program
  .command('adopt')
  .description('take over what the original published, history and all, as the first commit of this data set')
  .option('--from <place>', 'where it lies, s3://bucket/prefix/ or a folder; default: the published space itself')
  .option('--leave-out <channel/version...>', 'entries of versions.json to go without, for good')
  .option('--dry-run', 'read and check everything, write nothing')
  .option('--json', 'print the result as JSON')
  .action(run(async (config, options) => (await import('./commands/adopt.ts')).adopt(config, options)));

program
  .command('temporal')
  .description('the Temporal CLI, pointed at the embedded stack: telemetry temporal workflow list')
  .argument('[args...]')
  .allowUnknownOption()
  .helpOption(false)
  .passThroughOptions()
  .action(async (args: string[]) => {
    attachLocal(true);
    await (await import('../local/temporal-cli.ts')).temporalCli(loadConfig(environment()), args);
  });

const schedules = program.command('schedules').description('the schedules as the code has them');
schedules
  .command('apply')
  .description('create or update; a pause is kept')
  .action(run(async (config) => (await import('./commands/schedule-commands.ts')).applySchedules(config)));
schedules
  .command('list')
  .option('--json', 'print as JSON')
  .action(
    run(async (_, options) =>
      (await import('./commands/schedule-commands.ts')).listSchedules(options['json'] === true),
    ),
  );

program
  .command('aggregate-submissions')
  .description('local files: submissions → result.txt')
  .requiredOption('-i, --input <list>', 'file with lines "key TAB file"')
  .requiredOption('-o, --output <file>', 'result to write')
  .action(
    run(async (config, options) =>
      (await import('./commands/local-files.ts')).aggregateSubmissionFiles(
        config,
        options as unknown as { input: string; output: string },
      ),
    ),
  );

program
  .command('merge-results')
  .description('local files: results → one result, or one file per channel/version')
  .requiredOption('-i, --input <file...>', 'results to merge')
  .option('-o, --output <file>', 'result to write')
  .option('-f, --folder <dir>', 'folder with one file per channel/version, merged into what is there')
  .action(
    run(async (config, options) =>
      (await import('./commands/local-files.ts')).mergeResultFiles(config, options as unknown as { input: string[] }),
    ),
  );

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = error instanceof ConfigError ? 2 : error instanceof CommandError ? error.exitCode : 1;
  const known = error instanceof ConfigError || error instanceof CommandError;
  process.stderr.write(
    `${known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
}
