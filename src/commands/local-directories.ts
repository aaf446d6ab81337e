/** Where everything that only this checkout needs is kept. */
import { join } from 'node:path';

export const LOCAL_DIRECTORY = '.local';
/** Data of the embedded stack. */
export const STACK_DIRECTORY = join(LOCAL_DIRECTORY, 'stack');
