/** The `telemetry` command of a checkout: the product's own commands, and the embedded stack to try them on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { keepCompiledCode } from '../src/compile-cache.ts';

keepCompiledCode();
const { CommandError } = await import('../src/commands/command-error.ts');
const { useEnvironment } = await import('../src/environment.ts');
const [{ runToExitCode }, { telemetryProgram }] = await Promise.all([
  import('../src/exit-code.ts'),
  import('../src/program.ts'),
]);
const { STACK_DIRECTORY } = await import('./directories.ts');

const program = telemetryProgram()
  .option('--local', 'work on the embedded stack that runs here')
  .option('--local-directory <dir>', `the same for a stack in this directory (default ${STACK_DIRECTORY})`);

program.hook('preAction', (_, command) => {
  const { local, localDirectory } = program.opts();
  // Logs are read when the stack has ended, too.
  if (command.name() !== 'logs' && (local === true || localDirectory !== undefined)) attachStack(localDirectory);
});

program
  .command('up')
  .description('run the embedded stack (Temporal, S3, SQS) in the foreground')
  .option('--directory <dir>', 'where it keeps its data')
  .action(async (options) => (await import('./demo.ts')).up(options));

program
  .command('demo')
  .description('embedded stack and workers; analyses every day of the sample submissions, then stays up')
  .option('--once', 'exit after publishing')
  .option('--submissions <dir>', "analyse this folder's files instead; relative path = input key")
  .option('--definitions <dir>', 'histogram definitions: <repo path>/<revision>/Histograms.json')
  .option('--export <dir>', 'write the published space as plain files')
  .option('--directory <dir>', 'where the stack keeps its data')
  .action(async (options) => (await import('./demo.ts')).demo(options));

program
  .command('logs')
  .description(
    'what the parts of the embedded stack have written; elsewhere look in the journal or the container’s log',
  )
  .argument('[part...]', 'temporal, object-store, worker, analysis-worker; default: all that there are')
  .option('-f, --follow', 'go on until Ctrl-C')
  .option('--lines <number>', 'of each part (default 20)')
  .action(async (parts, options) =>
    (await import('./stack-logs.ts')).showLogs(program.opts().localDirectory ?? STACK_DIRECTORY, parts, options),
  );

program
  .command('temporal')
  .description('the Temporal CLI, pointed at the embedded stack: telemetry temporal workflow list')
  .argument('[args...]')
  .allowUnknownOption()
  .helpOption(false)
  .passThroughOptions()
  .action(async (args) => {
    attachStack(program.opts().localDirectory);
    await (await import('./temporal-cli.ts')).temporalCli(args);
  });

await runToExitCode(program);

/** Overrides the environment with the addresses and credentials of the stack in the directory. */
function attachStack(directory = STACK_DIRECTORY): void {
  const file = join(directory, 'stack.env');
  try {
    useEnvironment(parseEnv(readFileSync(file, 'utf8')) as Record<string, string>);
  } catch (error) {
    throw new CommandError(
      `No embedded stack runs here (${file}: ${(error as Error).message}); start one with "npm run -s telemetry -- up"`,
      { exitCode: 2 },
    );
  }
}
