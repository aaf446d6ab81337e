/** Stage 1: the filter of the day. */
import { log } from '@temporalio/activity';
import { failure } from '../failures.ts';
import { type Filter, parseFilter } from '../pipeline/filter/filter.ts';
import { checkDay, isTemplate, renderTemplate } from '../pipeline/filter/template.ts';
import type { ActivityPorts } from './ports.ts';

export interface RenderFilterInput {
  readonly day: string;
  /** A document to use instead of the configured template; its DATEs are replaced too. */
  readonly document?: unknown;
  /** ISO instant that defines "future". */
  readonly now: string;
  readonly allowFuture: boolean;
}

export function createFilterActivities({ readTemplate, settings }: Pick<ActivityPorts, 'readTemplate' | 'settings'>) {
  return {
    /** The queue pair of production, which only the worker's configuration names. */
    async productionQueues(): Promise<{ taskQueue: string; doneQueue: string }> {
      return { taskQueue: settings.taskQueue, doneQueue: settings.doneQueue };
    },

    /**
     * Checks a filter document that names no day.
     * @throws ApplicationFailure InvalidFilter
     */
    async parseFilterDocument({ document }: { readonly document: unknown }): Promise<Filter> {
      return parseFilter(document);
    },

    /**
     * Renders the template, or the document given, for a day.
     * @throws ApplicationFailure InvalidInput, InvalidFilter (a person must correct the day or the filter)
     */
    async renderFilter({ day, document, now, allowFuture }: RenderFilterInput): Promise<Filter> {
      checkDay(day, new Date(now), allowFuture);
      const text = document === undefined ? await templateText(readTemplate) : JSON.stringify(document);
      // A document may name its dates itself; a template without DATE would take the files of all days.
      const filter = document !== undefined && !isTemplate(text) ? parseFilter(document) : renderTemplate(text, day);
      log.info('filter rendered', { day, fromTemplate: document === undefined });
      return filter;
    },
  };
}

/** @throws ApplicationFailure InvalidFilter for a file that is not there or cannot be read: no retry brings it */
async function templateText(readTemplate: ActivityPorts['readTemplate']): Promise<string> {
  try {
    return await readTemplate();
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EISDIR') throw error;
    throw failure(
      'InvalidFilter',
      `The filter template ${path ?? ''} cannot be read on the worker's machine (${code})`,
    );
  }
}
