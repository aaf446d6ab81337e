/**
 * A long-running command that is loaded before it begins: its parent starts it while the servers that it needs are still starting,
 * when the machine has little else to do, and sends its environment once they are up.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { keepCompiledCode } from '../src/compile-cache.ts';
import { useEnvironment } from '../src/environment.ts';

const CODE: Readonly<Record<string, () => Promise<unknown>>> = {
  worker: () => import('../src/worker.ts'),
  'analysis-worker': () => import('../src/analysis-worker/main.ts'),
};

keepCompiledCode();
const endWithParent = (): void => {
  process.exit();
};
process.once('disconnect', endWithParent);
// Ctrl-C in a terminal reaches it too; its parent ends it.
const ignore = (): void => undefined;
process.on('SIGINT', ignore);
const told = once(process, 'message');
const [, , command = ''] = process.argv;
await Promise.all([CODE[command]?.(), import('../src/config.ts')]);
const [variables] = (await told) as [Record<string, string>];
process.removeListener('disconnect', endWithParent);
process.removeListener('SIGINT', ignore);
process.disconnect();
useEnvironment(variables);
process.argv = [process.execPath, fileURLToPath(new URL('../src/cli.ts', import.meta.url)), command];
await import('../src/cli.ts');
