#!/usr/bin/env node
/** The `telemetry` command as it is deployed. A checkout has more commands: `local/cli.ts`. */
import { existsSync } from 'node:fs';
import { keepCompiledCode } from './compile-cache.ts';

keepCompiledCode();
const [{ runToExitCode }, { telemetryProgram }] = await Promise.all([import('./exit-code.ts'), import('./program.ts')]);

// People know it from a checkout, before a command or behind it.
const isForCheckout = process.argv.slice(2).some((arg) => /^--local(?:-directory(?:=.*)?)?$/.test(arg));
const [asked] = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
if (asked === 'logs') {
  process.stderr.write(
    '"telemetry logs" is there in a checkout only, for the embedded stack; here every process writes its log to its standard output: "journalctl -u telemetry-worker" under systemd, "docker compose logs worker", "kubectl logs deployment/telemetry-worker".\n',
  );
  process.exitCode = 2;
} else if (isForCheckout) {
  process.stderr.write(
    existsSync(new URL('../local/cli.ts', import.meta.url))
      ? '--local is an option of "npm run -s telemetry -- --local …", and not of this program, which is the one that is deployed.\n'
      : '--local is there in a checkout only, as "npm run -s telemetry -- --local …"; here, name the services by AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_SQS and TEMPORAL_ADDRESS instead.\n',
  );
  process.exitCode = 2;
} else await runToExitCode(telemetryProgram());
