/**
 * The `telemetry` program: every command of the product, and the exit code of whatever ends it.
 * A command's code is loaded when it is called: most commands need neither Temporal's core nor the AWS SDK.
 */
import { readFileSync } from 'node:fs';
import { Argument, Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Config } from './config.ts';

export function telemetryProgram() {
  const program = new Command('telemetry')
    .description(
      'The telemetry dashboard on Temporal: daily analysis of submissions, from the input bucket to the published data set.',
    )
    .version(release())
    .option('--verbose', 'with the stack of an unexpected error')
    .option('--quiet', 'write results and errors only, no progress')
    // Options behind a command are the command's: `check` has a `--verbose` of its own.
    .enablePositionalOptions()
    // Before the commands, which take these over.
    .exitOverride()
    .showHelpAfterError('"telemetry COMMAND --help" shows what a command takes.')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 input or configuration must be corrected (nothing was written),\n130 interrupted by Ctrl-C (129, 143: by SIGHUP, SIGTERM); a run that was followed goes on.\nEvery setting: .env.example.',
    );
  program.hook('preAction', async (_, command) => {
    if (program.opts().quiet !== true && command.opts()['quiet'] !== true) return;
    (await import('./commands/terminal.ts')).beQuiet();
  });
  addProcesses(program);
  addRuns(program);
  addOperation(program);
  addStorage(program);
  addFiles(program);
  addCompletion(program);
  for (const name of TELL_PROGRESS) commandAt(program, name).option('--quiet', 'write the result and errors only');
  return program;
}

/** Those that write progress take `--quiet` behind them as well. */
const TELL_PROGRESS: readonly string[] = [
  ...[
    'run-day',
    'investigate',
    'follow',
    'aggregate',
    'collect-garbage',
    'website publish',
    'setup',
    'verify',
    'export',
    'adopt',
  ],
  ...['report', 'files', 'investigation'],
];

function commandAt(program: CommandUnknownOpts, path: string): CommandUnknownOpts {
  return path.split(' ').reduce((command, word) => {
    const below = command.commands.find((candidate) => candidate.name() === word);
    if (below === undefined) throw new Error(`There is no command ${path}`);
    return below;
  }, program);
}

function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print the completion of this program for a shell: source <(telemetry completion bash)')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(async (shell) => {
      process.stdout.write((await import('./commands/completion.ts')).completionScript(program, shell));
    });
}

function release(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version = 'unknown' } = JSON.parse(text) as { version?: string };
  return version;
}

/** Read when a command begins, since what comes before it may still change the environment; and loaded then, for `--help` takes none. */
async function settings(): Promise<Config> {
  const [{ loadConfig }, { environment }] = await Promise.all([import('./config.ts'), import('./environment.ts')]);
  return loadConfig(environment());
}

/** The long-running ones. */
function addProcesses(program: Command): void {
  program
    .command('worker')
    .description('run the Temporal worker: workflows and activities')
    .action(async () => (await import('./worker.ts')).runWorker(await settings()));

  program
    .command('analysis-worker')
    .description('run an analysis worker: analysis tasks → results')
    .option(
      '--processor <command>',
      'run this instead of the built-in aggregation; it gets the output folder as argument and "key TAB path" lines as input',
    )
    .action(async (options) =>
      (await import('./analysis-worker/main.ts')).runAnalysisWorker(await settings(), options),
    );

  program
    .command('histogram-server')
    .description('answer histogram definitions and buckets by revision, over HTTP')
    .action(async () => (await import('./histogram-server/main.ts')).runHistogramServer(await settings()));
}

/** Workflows, started by hand. */
function addRuns(program: Command): void {
  program
    .command('run-day')
    .description('analyse and publish one day, and follow the run')
    .option('--day <YYYYMMDD>', 'default: yesterday, UTC')
    .option('--filter <file>', 'filter document or template instead of the configured one')
    .option('--allow-future', 'accept a day that has not begun')
    .option('--allow-large-plan', 'analyse more than TELEMETRY_MAX_PLAN_TASKS and _BYTES allow')
    .option('--replace-anyway', 'replace the day also when this run has less than the data set')
    .option('--detach', 'start only')
    .option('--json', 'print the result as JSON')
    .action(async (options) => (await import('./commands/run-day.ts')).runDay(await settings(), options));

  program
    .command('investigate')
    .description('analyse without publishing, on queues of its own')
    .argument('<name>', 'a-z 0-9 -; names the result: investigations/<name>/')
    .option('--day <YYYYMMDD>', 'day that replaces DATE')
    .option('--filter <file>', 'filter document or template instead of the configured one')
    .option('--keys <file>', 'input keys, one a line, instead of a filter')
    .option('--allow-large-plan', 'analyse more than TELEMETRY_MAX_PLAN_TASKS and _BYTES allow')
    .option('--detach', 'start only')
    .option('--json', 'print the result as JSON')
    .action(async (name, options) =>
      (await import('./commands/run-day.ts')).investigate(await settings(), name, options),
    );

  program
    .command('follow')
    .description('show the progress of a run until it ends, then its result')
    .argument('<run>', 'a day (YYYYMMDD), a workflow id, or the name of an investigation')
    .option('--json', 'print the result as JSON')
    .action(async (run, options) => (await import('./commands/follow.ts')).follow(run, options));

  program
    .command('aggregate')
    .description('publish results that other launchers asked for, in rounds, until stopped; follows it')
    .option('--publish-now', 'publish what waits now, in the running one')
    .option('--stop', 'publish what waits, then end the running one')
    .option('--detach', 'start only')
    .option('--json', 'print the result as JSON')
    .action(async (options) => (await import('./commands/aggregate.ts')).aggregate(await settings(), options));

  program
    .command('collect-garbage')
    .description('list what no commit of the data set references any more; the daily schedule removes it')
    .option('--delete', 'remove it now')
    .option('--force', 'remove also when more than half of the folders would go')
    .option('--max-deletions <objects>', 'remove at most this many objects', Number)
    .option('--json', 'print the result as JSON')
    .action(async (options) =>
      (await import('./commands/collect-garbage.ts')).collectGarbage(await settings(), options),
    );

  program
    .command('website')
    .description('the static website')
    .command('publish')
    .description(
      'make the site what its source is, and follow the run; a source named here is published by this process',
    )
    .option('--source <dir>', 'folder instead of the configured source')
    .option('--repository <url>', 'git repository instead of the configured source')
    .option('--branch <name>', 'its branch')
    .option('--force', "publish although many of the site's objects will be deleted")
    .option('--dry-run', 'only say what would be written')
    .option('--json', 'print the result as JSON')
    .action(async (options) => (await import('./commands/website.ts')).publishWebsite(await settings(), options));
}

const WATCH_EXIT_CODES =
  '\nExit codes: 0 all is well, 1 something is wrong, 2 something could not be checked, or the settings are wrong.';

/** Setting up and looking after a deployment. */
function addOperation(program: Command): void {
  program
    .command('setup')
    .description('create what a deployment lacks, check the rest; a second run changes nothing')
    .option('--fix', 'also change what exists and differs')
    .option('--send-test-alert', 'send an alert that says it is a test')
    .option('--json', 'print the outcome as JSON')
    .action(async (options) => (await import('./commands/setup.ts')).setup(await settings(), options));

  program
    .command('status')
    .description('what the deployment is doing: verdict, data set, runs, schedules, queues, what is left over')
    .option(
      '--max-age-hours <n>',
      'age of the last commit from which the data is stale; default: when the next run has not published in time',
    )
    .option('--json', 'print as JSON')
    .addHelpText('after', WATCH_EXIT_CODES)
    .action(async (options) => (await import('./commands/watch.ts')).status(await settings(), options));

  program
    .command('check')
    .description(
      'the watchdog, for cron or a monitor: one line for each finding, silent when all is well; repairs projections',
    )
    .option(
      '--max-age-hours <n>',
      'age of the last commit from which the data is stale; default: when the next run has not published in time',
    )
    .option('--json', 'print as JSON')
    .option('--verbose', 'notes as well, and a line when all is well')
    .addHelpText('after', WATCH_EXIT_CODES)
    .action(async (options) => (await import('./commands/watch.ts')).check(await settings(), options));

  program
    .command('changes')
    .description('what moved in the data, as the last run found it; channel/versions that fell silent')
    .option('--channel <name>', 'of this channel only, or of this channel/version')
    .option('--json', 'print as JSON')
    .action(async (options) => (await import('./commands/changes.ts')).changes(await settings(), options));

  program
    .command('acknowledge')
    .description(
      'say why a finding of "check" is no problem, so that it is shown as a note; without an id, list what was said',
    )
    .argument('[id]', 'as "check" shows it: daily-analysis/20131029')
    .option('--reason <text>', 'why; it is recorded and shown')
    .option('--withdraw', 'make it a problem again')
    .option('--json', 'print as JSON')
    .action(async (id, options) =>
      (await import('./commands/watch.ts')).acknowledgeFinding(await settings(), id, options),
    );

  const schedules = program.command('schedules').description('the schedules as the code has them');
  schedules
    .command('apply')
    .description('create what is missing, update what differs; a pause is kept')
    .action(async () => (await import('./commands/schedule-commands.ts')).applySchedules(await settings()));
  schedules
    .command('list')
    .description('when each runs next, whether it is paused, and its last run')
    .option('--json', 'print as JSON')
    .action(async (options) => (await import('./commands/schedule-commands.ts')).listSchedules(options.json === true));
}

/** What is in the buckets: reports, whole, refused, adopted. */
function addStorage(program: Command): void {
  program
    .command('report')
    .description('what the run of a day planned, counted and left out, as JSON')
    .argument('<day>', 'YYYYMMDD')
    .option('--run <id>', 'another run of the day than the one that the data set has')
    .action(async (day, options) => (await import('./commands/results.ts')).showReport(await settings(), day, options));

  program
    .command('files')
    .description('the input files of a day, one key a line')
    .argument('<day>', 'YYYYMMDD')
    .option('--missing', 'those that could not be used, each with its reason behind a TAB')
    .option('--partial', 'those that could be read in part only')
    .action(async (day, options) => (await import('./commands/results.ts')).showFiles(await settings(), day, options));

  program
    .command('investigation')
    .description('the report of an investigation, and its result')
    .argument('<name>', 'as it was started')
    .option('--get <file>', 'download the merged result')
    .action(async (name, options) =>
      (await import('./commands/results.ts')).showInvestigation(await settings(), name, options),
    );

  program
    .command('export')
    .description('the published data set as files of this machine')
    .requiredOption('--to <dir>', 'new or empty folder')
    .option('--channel <name>', 'of this channel only, or of this channel/version')
    .option('--format <format>', 'json: every file, decompressed; parquet or csv: one table each', 'json')
    .action(async (options) => (await import('./commands/export.ts')).exportPublished(await settings(), options));

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
    .action(async (options) => (await import('./commands/verify.ts')).verify(await settings(), options));

  const quarantine = program.command('quarantine').description('what was refused, kept with its reason');
  quarantine
    .command('list')
    .description('newest first')
    .option('--limit <number>', 'show at most this many (default 100)')
    .option('--json', 'print as JSON')
    .action(async (options) => (await import('./commands/quarantine.ts')).quarantineList(await settings(), options));
  quarantine
    .command('show')
    .description('one entry: its whole message, and what was refused')
    .argument('<sha>', 'its first digits, 6 or more')
    .option('--json', 'print as JSON')
    .action(async (sha, options) =>
      (await import('./commands/quarantine.ts')).quarantineShow(await settings(), sha, options),
    );
  quarantine
    .command('release')
    .description('send back to where it came from, to be judged again, once its reason is gone')
    .argument('<sha...>', 'their first digits, 6 or more')
    .option('--json', 'print the outcome as JSON')
    .action(async (shas, options) =>
      (await import('./commands/quarantine.ts')).quarantineRelease(await settings(), shas, options),
    );

  quarantine
    .command('acknowledge')
    .description('say why entries are no problem; "check" and "status" then leave them out')
    .argument('[sha...]', 'their first digits, 6 or more')
    .option('--all', 'all entries that are there now')
    .option('--older-than-days <days>', 'all entries older than that')
    .option('--reason <text>', 'why, for those who look later')
    .option('--withdraw', 'make them problems again')
    .option('--json', 'print as JSON')
    .action(async (shas, options) =>
      (await import('./commands/quarantine.ts')).quarantineAcknowledge(await settings(), shas, options),
    );
  quarantine
    .command('purge')
    .description('delete entries for good; what went, why and by whom is recorded')
    .argument('[sha...]', 'their first digits, 6 or more')
    .option('--all', 'all entries that are there now')
    .option('--older-than-days <days>', 'all entries older than that')
    .option('--reason <text>', 'why, for those who look later')
    .option('--json', 'print as JSON')
    .action(async (shas, options) =>
      (await import('./commands/quarantine.ts')).quarantinePurge(await settings(), shas, options),
    );

  program
    .command('adopt')
    .description('take over what the original published, history and all, as the first commit of this data set')
    .option('--from <place>', 'where it is, s3://bucket/prefix/ or a folder; default: the published space itself')
    .option('--leave-out <channel/version...>', 'entries of versions.json to go without, for good')
    .option('--dry-run', 'read and check everything, write nothing')
    .option('--json', 'print the result as JSON')
    .action(async (options) => (await import('./commands/adopt.ts')).adopt(await settings(), options));
}

/** Files of this machine only. */
function addFiles(program: Command): void {
  program
    .command('bundle-workflows')
    .description('write the workflow code as one file, for TELEMETRY_WORKFLOW_BUNDLE')
    .requiredOption('--output <file>', 'file to write')
    .action(async ({ output }) => {
      const bytes = await (await import('./workflow-bundle.ts')).writeWorkflowBundle(output);
      process.stdout.write(`${output}: ${bytes} bytes\n`);
    });

  program
    .command('aggregate-submissions')
    .description('local files: submissions → result.txt')
    .requiredOption('-i, --input <list>', 'file with lines "key TAB file"')
    .requiredOption('-o, --output <file>', 'result to write')
    .action(async (options) => (await import('./commands/local-files.ts')).aggregateSubmissionFiles(settings, options));

  program
    .command('merge-results')
    .description('local files: results → one result, or one file per channel/version')
    .requiredOption('-i, --input <file...>', 'results to merge')
    .option('-o, --output <file>', 'result to write')
    .option('-f, --folder <dir>', 'folder with one file per channel/version, merged into what is there')
    .option(
      '--one-length',
      'one row for each path, that of the highest build id, as the original and its tools have it',
    )
    .action(async (options) => (await import('./commands/local-files.ts')).mergeResultFiles(settings, options));
}
