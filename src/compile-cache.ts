/**
 * Keeps what Node.js makes of each source: most of what a short command does is to strip types and compile. A program
 * calls this before it imports anything else.
 */
import { constants, enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Never the folder for temporary files, which is Node's default: it belongs to all users of a machine, and who can write
 * into the cache decides what runs. Who can write here can change the sources as well.
 */
const OF_CHECKOUT = fileURLToPath(new URL('../.local/cache/compiled', import.meta.url));

/**
 * A folder that NODE_COMPILE_CACHE names is used instead, and NODE_DISABLE_COMPILE_CACHE holds. Where the folder cannot
 * be made or written, everything is compiled at each start.
 */
export function keepCompiledCode(): void {
  const { status } = enableCompileCache(OF_CHECKOUT);
  // Worker threads and the programs that a command starts know it from the variable only.
  if (status === constants.compileCacheStatus.ENABLED) process.env['NODE_COMPILE_CACHE'] = OF_CHECKOUT;
}
