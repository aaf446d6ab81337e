/**
 * How well changes are found, beside the rule of cerberus: recall of planted steps, drifts and spikes, and false alarms on
 * series without a change (docs/changes.md 6). It measures no time, so it may run beside other work.
 *
 *     npm run bench changes                 100 series for each row
 *     npm run bench changes -- --series=200
 */
import {
  CERBERUS,
  falseAlarmsOf,
  mixedSteps,
  OURS,
  PERIODS,
  type PlantedSeries,
  type Recall,
  recallOf,
  recipeOf,
  smallSteps,
} from '../test/fakes/change-scenarios.ts';
import { mostPower } from '../test/fakes/step-bound.ts';
import { countOption } from './day/options.ts';

const series = countOption('series', 100);
const RULES = [OURS, CERBERUS];
/** Least standard deviation of the logarithms of a group. */
const SPREADS = [0.6, 0.85, 1];
printSteps();
printSmallSteps();
printSlowAndShort();
printFalseAlarms();

function printSteps(): void {
  print(`Recall within 3 builds (in brackets: at all), ${series} series for each row`);
  row('series', 'submissions a date', 'step', ...RULES.map(({ name }) => name));
  row('---', '---', '---', ...RULES.map(() => '---'));
  for (const period of PERIODS)
    for (const submissions of [5_000, 20_000, 100_000])
      for (const size of [0.05, 0.07, 0.1, -0.1, 0.2, 0.5]) {
        const recipes = all((index) => {
          const seed = `step/${period}/${submissions}/${size}/${index}`;
          return { ...recipeOf(seed, period, submissions), change: { at: 22 + (index % 30), size } };
        });
        row(period, submissions, `${Math.round(100 * size)} %`, ...recalls(recipes, 3));
      }
  row('all three', '5000 to 100000', '5 to 20 %, both ways', ...recalls(mixedSteps(4 * series), 3));
}

/** Where recall is lost: to values that spread far and submissions that are worth little, or to the rule. */
function printSmallSteps(): void {
  print(
    '\nRecall of 5 % within 3 builds, 5000 submissions, by the spread and worth of values; the most that any rule finds',
  );
  row('series', 'spread', 'independent values of a submission', 'series tried', 'any rule', OURS.name);
  row('---', '---', '---', '---', '---', '---');
  for (const period of ['plain', 'weekly'] as const) {
    const recipes = smallSteps(4 * series, period);
    const groups = Map.groupBy(
      recipes,
      ({ spread, worth }) => `${SPREADS.findLast((least) => spread >= least)} ${worth}`,
    );
    const named = [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, some] of [...named, ['all all', recipes] as const]) {
      const most = some.reduce((sum, recipe) => sum + mostPower(recipe), 0) / some.length;
      const [from = '', worth = ''] = name.split(' ');
      const bound = period === 'plain' ? `${(100 * most).toFixed(1)} %` : '';
      row(period, from, worth, some.length, bound, recallText(recallOf(OURS, some, 3)));
    }
  }
}

function printSlowAndShort(): void {
  print('\nRecall of drifts before they end, of spikes within 2 builds after them (in brackets: at all)');
  row('change', 'submissions a date', ...RULES.map(({ name }) => name));
  row('---', '---', ...RULES.map(() => '---'));
  for (const submissions of [5_000, 50_000])
    for (const [name, size, more, within] of [
      ['10 % over 28 dates', 0.1, { over: 28 }, 28],
      ['20 % over 28 dates', 0.2, { over: 28 }, 28],
      ['30 % for one date', 0.3, { lasting: 1 }, 3],
      ['−30 % for two dates', -0.3, { lasting: 2 }, 4],
    ] as const) {
      const recipes = all((index) => {
        const period = PERIODS[index % 3] ?? 'plain';
        const change = { at: 20 + (index % 10), size, ...more };
        return { ...recipeOf(`slow/${name}/${submissions}/${index}`, period, submissions), change };
      });
      row(name, submissions, ...recalls(recipes, within));
    }
}

function printFalseAlarms(): void {
  print('\nFalse alarms of all kinds in 2,000 measure-weeks (in brackets: how many); a measure has two series');
  row('series', 'submissions a date', 'measure-weeks', ...RULES.map(({ name }) => name));
  row('---', '---', '---', ...RULES.map(() => '---'));
  const sums = RULES.map(() => ({ measureWeeks: 0, alarms: 0 }));
  for (const period of PERIODS)
    for (const submissions of [300, 5_000, 50_000, 500_000]) {
      const seeds = Array.from({ length: 4 * series }, (_, index) => `none/${period}/${submissions}/${index}`);
      const results = RULES.map((rule, which) => {
        const result = falseAlarmsOf(
          rule,
          seeds.values().map((seed) => recipeOf(seed, period, submissions)),
        );
        const sum = sums[which];
        if (sum !== undefined) {
          sum.measureWeeks += result.measureWeeks;
          sum.alarms += result.alarms;
        }
        return result;
      });
      row(period, submissions, Math.round(results[0]?.measureWeeks ?? 0), ...results.map(rateText));
    }
  row('all', '', Math.round(sums[0]?.measureWeeks ?? 0), ...sums.map(rateText));
}

function rateText({ measureWeeks, alarms }: { measureWeeks: number; alarms: number }): string {
  return `${((2000 * alarms) / measureWeeks).toFixed(2)} (${alarms})`;
}

function all(make: (index: number) => PlantedSeries): PlantedSeries[] {
  return Array.from({ length: series }, (_, index) => make(index));
}

function recalls(recipes: readonly PlantedSeries[], within: number): string[] {
  return RULES.map((rule) => recallText(recallOf(rule, recipes, within)));
}

function recallText({ series: tried, inTime, later }: Recall): string {
  return `${((100 * inTime) / tried).toFixed(1)} % (${((100 * (inTime + later)) / tried).toFixed(1)} %)`;
}

function row(...cells: readonly (string | number)[]): void {
  print(`| ${cells.join(' | ')} |`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
