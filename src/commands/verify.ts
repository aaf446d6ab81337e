/** `verify`: whether what is published, and the state behind it, is whole; for operators, cron and tests. */
import { setInterval } from 'node:timers';
import { connectPorts } from '../composition.ts';
import type { Config } from '../config.ts';
import { exitCodeOfFindings } from '../findings.ts';
import { plainLine } from '../pipeline/plain-text.ts';
import type { VerifyProgress } from '../verify/verification.ts';
import { verifyDataSet } from '../verify/verify.ts';
import { CommandError } from './command-error.ts';
import { interruptible } from './interruptible.ts';
import { print, showStatus } from './terminal.ts';
import { bytesText, verifyText } from './verify-report.ts';

export interface VerifyCommandOptions {
  readonly quick?: boolean | undefined;
  readonly strict?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const LOOK_EVERY_MS = 500;

/** Prints the verdict, then the findings. Sets exit code 1 when an error was found, with `strict` also for a note. */
export async function verify(config: Config, { quick, strict, json }: VerifyCommandOptions): Promise<void> {
  const { ports, close } = connectPorts(config);
  const progress: VerifyProgress = { step: 'starting', objects: 0, bytes: 0 };
  const timer = setInterval(() => {
    const { step, objects, bytes } = progress;
    showStatus(`verify: ${step}; ${objects} objects, ${bytesText(bytes)}`);
  }, LOOK_EVERY_MS);
  // Without a terminal every text would be a line of its own.
  if (!process.stderr.isTTY) clearInterval(timer);
  try {
    const report = await interruptible('interrupted; nothing was written', (signal) =>
      verifyDataSet(ports, { quick: quick === true, progress }, signal),
    );
    print(json === true ? JSON.stringify(report) : verifyText(report));
    process.exitCode = exitCodeOfFindings(report.findings, strict === true);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const message = plainLine(error instanceof Error ? error.message : String(error), 500);
    throw new CommandError(`The data set could not be checked: ${message}`, { cause: error, exitCode: 2 });
  } finally {
    clearInterval(timer);
    await close();
  }
}
