/** Whether the filter template is there and gives a valid filter for the day that the next scheduled run would analyse. */
import { readFile } from 'node:fs/promises';
import { analysisDay } from '../pipeline/calendar-day.ts';
import type { AllowedValues, MajorRange, TextRange } from '../pipeline/filter/filter.ts';
import { renderTemplate } from '../pipeline/filter/template.ts';
import { InvalidDataError } from '../pipeline/invalid-data.ts';
import { type Look, ok, type SetupItem } from './item.ts';

export function filterTemplateItemName(path: string): string {
  return `filter template ${path}`;
}

export function filterTemplateItem(path: string): SetupItem {
  return {
    name: filterTemplateItemName(path),
    look: async () => lookAtTemplate(await textOf(path), analysisDay(new Date())),
  };
}

function lookAtTemplate(text: string | null, day: string): Look {
  if (text === null) return { state: 'missing', facts: ['does not exist: correct TELEMETRY_FILTER_TEMPLATE'] };
  try {
    const { dimensions } = renderTemplate(text, day);
    const limited = dimensions.filter(({ allowed_values: allowed }) => allowed !== '*');
    const texts = limited.map(({ field_name: name, allowed_values: allowed }) => `${name} ${valuesText(allowed)}`);
    return ok(`for ${day}: ${texts.join(', ')}`);
  } catch (error) {
    if (!(error instanceof InvalidDataError)) throw error;
    return { state: 'differs', facts: [error.message], blocks: true };
  }
}

function valuesText(allowed: AllowedValues): string {
  if (typeof allowed === 'string') return allowed;
  if ('length' in allowed) return allowed.join('|');
  const { min, max, min_major, max_major }: TextRange & MajorRange = allowed;
  return `${min ?? min_major ?? ''}…${max ?? max_major ?? ''}`;
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
