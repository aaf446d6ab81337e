/**
 * `filter.json.in`: a filter document in which the text DATE is replaced by the day of the run
 * (docs/formats/input-bucket.md 1.5).
 */
import { dayOf, isCalendarDay, MS_PER_DAY, noDayText } from '../calendar-day.ts';
import { InvalidDataError } from '../invalid-data.ts';
import { type Filter, parseFilter } from './filter.ts';

/**
 * Checks that `day` can be analysed.
 * @param now the instant that defines "future"; a run passes its scheduled time
 * @throws InvalidDataError `invalid_day`
 */
export function checkDay(day: string, now: Date, allowFuture = false): void {
  if (!isCalendarDay(day)) {
    throw new InvalidDataError('invalid_day', noDayText(day));
  }
  const today = dayOf(now);
  if (day <= today) return;
  const latest = dayOf(new Date(now.getTime() + FUTURE_DAYS * MS_PER_DAY));
  if (!allowFuture) {
    throw new InvalidDataError(
      'invalid_day',
      `Day ${day} is in the future (today is ${today} UTC); choose a past day, or one until ${latest} with --allow-future (in an input: "allowFuture": true)`,
    );
  }
  if (day > latest) {
    throw new InvalidDataError(
      'invalid_day',
      `Day ${day} is too far in the future: at most ${FUTURE_DAYS} days from today are allowed, ${latest}`,
    );
  }
}

/** What clocks and time zones of submitters and operators account for; more is a typing error. */
const FUTURE_DAYS = 7;

/** Whether a filter is a template, to be rendered for a day. */
export function isTemplate(text: string): boolean {
  return text.includes('DATE');
}

/**
 * Replaces every DATE by `day` and validates the result.
 * @throws InvalidDataError `invalid_template` or `invalid_filter`
 */
export function renderTemplate(template: string, day: string): Filter {
  if (/[A-Za-z0-9_]DATE|DATE[A-Za-z0-9_]/.test(template)) {
    throw invalid('DATE stands inside a longer word; separate it with quotes or blanks');
  }
  if (!isTemplate(template)) throw invalid('the template has no DATE, so the run would take the files of all days');
  let document: unknown;
  try {
    document = JSON.parse(template.replaceAll('DATE', day));
  } catch (error) {
    throw invalid(`not JSON after putting ${day} for DATE: ${(error as Error).message}`);
  }
  return parseFilter(document);
}

function invalid(message: string): InvalidDataError {
  return new InvalidDataError('invalid_template', `Filter template: ${message}`);
}
