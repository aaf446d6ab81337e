/** What the page asks its worker, and the answers: parsing and summing never hold up the page. */
import type {
  ByDate,
  Changes,
  DateRange,
  Filter,
  Folders,
  MeasureIndex,
  MeasureSums,
  Nothing,
  Option,
  Status,
} from '../client/index.ts';
import type { SiteConfig } from './site-config.ts';

/** Called by name in the worker; every answer is structured-cloneable. */
export interface Questions {
  /** Reads `config.json`, once; everything else waits for it. @param page address of the page */
  open(page: string): SiteConfig;
  folders(): Folders;
  measures(channelVersion: string): MeasureIndex;
  sums(channelVersion: string, measure: string, by: ByDate, filter: Filter): MeasureSums;
  /** Options of every filter level with their submissions of the chosen dates. */
  options(
    channelVersion: string,
    measure: string,
    by: ByDate,
    filter: Filter,
    range: DateRange,
  ): readonly (readonly Option[])[];
  measurePath(channelVersion: string, measure: string, by: ByDate): string;
  changes(): Changes | null;
  status(): Status;
}

export type QuestionName = keyof Questions;

export interface Question {
  readonly id: number;
  readonly name: QuestionName;
  readonly parameters: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly reason: Nothing | 'fault'; readonly message: string };
