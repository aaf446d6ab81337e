/** A test that is killed stops none of its servers, and no later start in its folder ends them, so the system has to. */
import { runProgram } from '../../src/run-program.ts';

export interface Command {
  readonly executable: string;
  readonly args: readonly string[];
}

/** The command, told SIGTERM when its parent is gone; as it is where the system cannot do that. */
export async function endingWithParent(executable: string, args: readonly string[]): Promise<Command> {
  const signal = ['--pdeathsig', 'TERM'];
  const { error } = await runProgram('setpriv', [...signal, 'true']);
  return error === null ? { executable: 'setpriv', args: [...signal, executable, ...args] } : { executable, args };
}
