/** Loaded before a worker (`node --import`): takes the protection named by `MUTATION` out of the sources, in all its threads. */
import { registerHooks } from 'node:module';
import { MUTATIONS, type MutationName } from './mutations.ts';

const name = process.env['MUTATION'] as MutationName;
const { file, find, replace } = MUTATIONS[name];
const address = new URL(`../../../src/${file}`, import.meta.url).href;

registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context);
    if (url !== address) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
    const parts = source.split(find);
    if (parts.length !== 2) throw new Error(`mutation ${name}: ${file} has its text ${parts.length - 1} times`);
    return { ...loaded, source: parts.join(replace) };
  },
});
