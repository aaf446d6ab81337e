/** Objects with slots (chunk parts, segments, bases) as local files, for the threads that merge and render them. */
import type { ObjectStore } from '../ports.ts';
import { LocalObjects } from './local-objects.ts';

export class LocalParts extends LocalObjects {
  constructor(store: ObjectStore, folder: string, signal: AbortSignal) {
    super(store, folder, { what: 'slots of a channel/version', name: 'part' }, signal);
  }
}
