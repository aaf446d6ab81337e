/** How the programs of the application are started in a scene: what is loaded before them, and within which limits. */
import { resolve } from 'node:path';

/** Modules by the variable that asks for them. */
const LOADED_BEFORE = {
  MUTATION: 'mutate.ts',
  CLOCK_SKEW_SECONDS: 'skewed-clock.ts',
  CONNECTIONS_LOG: 'noted-connections.ts',
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** @param environment `MAX_OPEN_FILES` limits those that the program may have open */
export function applicationProgram(
  given: readonly string[],
  { MAX_OPEN_FILES: files, ...env }: Environment,
): { readonly file: string; readonly args: readonly string[]; readonly env: Environment } {
  const before = Object.entries(LOADED_BEFORE)
    .filter(([variable]) => env[variable] !== undefined)
    .flatMap(([, module]) => ['--import', resolve('test/faults/harness', module)]);
  const program = [process.execPath, ...before, resolve('src/cli.ts'), ...given];
  const [file = '', ...args] = files === undefined ? program : ['prlimit', `--nofile=${files}`, ...program];
  return { file, args, env };
}
