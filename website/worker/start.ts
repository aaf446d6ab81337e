/**
 * Starts the worker and tells it the page's address. In the built site this is a script of its own before the page's: the
 * worker loads, and reads where the data set is, while the page's script is still compiled.
 */
export const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'data set' });

// Nobody waits for this answer: the page asks again, and the worker has it then.
worker.postMessage({ id: 0, name: 'open', parameters: [location.href] });
