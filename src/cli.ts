#!/usr/bin/env node
/** The `telemetry` command as it is deployed. A checkout has more commands: `local/cli.ts`. */
import { keepCompiledCode } from './compile-cache.ts';

keepCompiledCode();
const { Option } = await import('@commander-js/extra-typings');
const { CommandError } = await import('./commands/command-error.ts');
const { runToExitCode, telemetryProgram } = await import('./program.ts');

const program = telemetryProgram();
// People know them from a checkout, where they come before every command.
const checkoutOnly = [new Option('--local'), new Option('--local-directory <dir>')];
for (const option of checkoutOnly) program.addOption(option.hideHelp());
program.hook('preAction', () => {
  if (checkoutOnly.every((option) => program.getOptionValue(option.attributeName()) === undefined)) return;
  throw new CommandError(
    '--local is there in a checkout only, as "npm run -s telemetry -- --local …"; here, name the services by AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_SQS and TEMPORAL_ADDRESS instead.',
    { exitCode: 2 },
  );
});
await runToExitCode(program);
