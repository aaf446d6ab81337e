import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Folders, folderTime, isCategorical, within } from '../../client/index.ts';
import { sliderAttributes, stepKeys, type Steps, useWidth } from '../charts/canvas-chart.tsx';
import { drawEvolution, type DrawnEvolution } from '../charts/evolution.ts';
import {
  estimateOf,
  type EvolutionData,
  evolutionData,
  type EvolutionSeries,
  type Line,
  valueOf,
} from '../charts/evolution-data.ts';
import type { Table } from '../tables.ts';
import { count, date as dateName, dateOf, DAY_MS, number, quantityName } from '../format.ts';
import type { Baseline } from '../parts/figures.tsx';
import { Choice, Panel, Readout, type ReadoutEntry } from '../parts/panel.tsx';
import type { Quantity, Versus } from '../state.ts';
import { change, explore, folders, type LoadedSeries } from '../store.ts';
import { colourOf, dashOf, palette } from '../theme.ts';
import { CHART_HEIGHT } from './distribution-panel.tsx';
import { type ExplorePicture, fullestBuckets } from './explore-picture.ts';

const QUANTITIES: readonly Quantity[] = ['p5', 'p25', 'p50', 'p75', 'p95', 'p99', 'mean', 'submissions', 'samples'];

export function EvolutionPanel({ picture }: { readonly picture: ExplorePicture }) {
  const state = explore.value;
  const { from, to, zoomed, reference, interpolated, threshold, measure, by } = state;
  const { quantities } = picture;
  const all = useMemo(
    () =>
      picture.loaded.map(({ index, definition, dated, range }): EvolutionSeries => ({
        name: picture.nameOf(index),
        index,
        definition,
        dated: zoomed ? dated.filter(([date]) => within(date, range)) : dated,
      })),
    [picture, zoomed],
  );
  const latest = latestOf(picture, folders.value);
  const data = useMemo(
    () => evolutionData(all, { quantities, versus: picture.versus, reference, interpolated, threshold, latest }),
    [all, quantities, picture.versus, reference, interpolated, threshold, latest],
  );
  const [cursor, setCursor] = useState<number | null>(null);
  const drawn = useRef<DrawnEvolution>(null);
  const [place, width] = useWidth();
  const theme = palette.value;
  const chosenKey = `${from ?? ''}-${to ?? ''}`;
  const nameOfLine = lineNames(data, quantities, picture);
  useEffect(() => {
    const element = place && 'current' in place ? place.current : null;
    if (element === null || width === 0 || data.dates.length === 0) return undefined;
    const evolution = drawEvolution(
      element,
      width,
      CHART_HEIGHT,
      {
        data,
        labels: nameOfLine,
        palette: theme,
        colourOf,
        dashOf,
        chosen: { from, to },
        reference,
        fromZero: picture.versus === 'none',
        unit: picture.versus === 'ratio' ? '×' : '',
      },
      {
        onCursor: setCursor,
        onChoose: (first, last) => {
          change({ from: first, to: last });
        },
      },
    );
    drawn.current = evolution;
    return () => {
      evolution.destroy();
      drawn.current = null;
    };
  }, [data, width, theme, chosenKey, reference]);
  const at = cursor === null ? undefined : data.dates[cursor];
  const entries = readoutOf(data, cursor, nameOfLine);
  const steps: Steps = {
    now: cursor,
    last: data.dates.length - 1,
    text: at === undefined ? '' : [dateName(at), ...entries.map(({ name, text }) => `${name} ${text}`)].join(', '),
    onMove: (next) => {
      setCursor(next);
      drawn.current?.moveTo(next);
    },
    onEnter: () => {
      if (at !== undefined) change({ reference: at === reference ? undefined : at });
    },
  };
  const label = `Evolution of ${measure} by ${by} date, date by date; Enter makes a date the reference`;
  return (
    <Panel
      id="evolution"
      title="Evolution"
      named={picture.named}
      table={() => tableOf(all, quantities, interpolated)}
      canvases={() => drawn.current?.canvases ?? []}
      note={noteOf(picture, data, threshold)}
      switches={<Switches picture={picture} />}
    >
      {data.dates.length === 0 ? (
        <p class="nothing" style={{ height: `${CHART_HEIGHT}px` }}>
          {picture.why || 'No date is chosen.'}
        </p>
      ) : (
        <div
          ref={place}
          class="chart-space evolution"
          style={{ height: `${CHART_HEIGHT}px` }}
          {...sliderAttributes(label, steps)}
          onKeyDown={stepKeys(steps)}
        />
      )}
      <Readout head={at === undefined ? `by ${by} date` : dateName(at)} entries={entries} />
    </Panel>
  );
}

function Switches({ picture }: { readonly picture: ExplorePicture }) {
  const { quantities, loaded } = picture;
  const [first] = loaded;
  const categorical = first !== undefined && isCategorical(first.definition);
  return (
    <>
      {!categorical && (
        <Choice
          label="Lines"
          value={quantities.join() === FAN.join() ? 'fan' : quantities.join() === 'p50' ? 'median' : 'own'}
          values={[
            ['median', 'Median'],
            ['fan', '5 to 95 %'],
          ]}
          onChoose={(value) => {
            change({ quantities: value === 'fan' ? FAN : ['p50'] });
          }}
        />
      )}
      <QuantityMenu chosen={quantities} first={first} />
    </>
  );
}

const FAN: readonly Quantity[] = ['p5', 'p25', 'p50', 'p75', 'p95'];

const BUCKETS = 8;

/** Counts, shares and values have scales of their own, which are not mixed. */
function scaleOf(quantity: Quantity): string {
  if (quantity === 'submissions' || quantity === 'samples') return 'count';
  return quantity.startsWith('b') ? 'share' : 'value';
}

function withQuantity(chosen: readonly Quantity[], quantity: Quantity, all: readonly Quantity[]): readonly Quantity[] {
  if (chosen.includes(quantity)) return chosen.length > 1 ? chosen.filter((one) => one !== quantity) : chosen;
  const kept = chosen.filter((one) => scaleOf(one) === scaleOf(quantity));
  return all.filter((one) => one === quantity || kept.includes(one));
}

interface QuantityMenuProps {
  readonly chosen: readonly Quantity[];
  readonly first: LoadedSeries | undefined;
}

function QuantityMenu({ chosen, first }: QuantityMenuProps) {
  const categorical = first !== undefined && isCategorical(first.definition);
  const buckets = fullestBuckets(first?.chosen?.counts ?? [], BUCKETS).map((bucket): Quantity => `b${bucket}`);
  const all = categorical ? [...buckets, 'mean' as const, 'submissions' as const, 'samples' as const] : QUANTITIES;
  return (
    <details class="menu">
      <summary>More lines</summary>
      <fieldset>
        <legend class="hidden">Lines of the evolution</legend>
        {all.map((quantity) => (
          <label key={quantity}>
            <input
              type="checkbox"
              checked={chosen.includes(quantity)}
              onChange={() => {
                change({ quantities: withQuantity(chosen, quantity, all) });
              }}
            />
            {quantityName(quantity, first?.definition)}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

function lineNames(data: EvolutionData, quantities: readonly Quantity[], { loaded }: ExplorePicture): string[] {
  const definition = loaded[0]?.definition;
  return data.lines.map(({ name, quantity }) => {
    const short = /^p(?!50$)/.test(quantity) ? quantity : quantityName(quantity, definition);
    if (loaded.length === 1) return short;
    return quantities.length === 1 ? name : `${name} ${short}`;
  });
}

function readoutOf({ lines }: EvolutionData, cursor: number | null, names: readonly string[]): ReadoutEntry[] {
  return lines.map(({ index, values, interval }, place) => {
    const value = cursor === null ? null : values[cursor];
    const estimate = cursor === null ? null : interval?.[cursor];
    const range = estimate == null ? '' : ` (${number(estimate.low)} to ${number(estimate.high)})`;
    return { index, name: names[place] ?? '', text: cursor === null ? '' : `${number(value)}${range}` };
  });
}

/** Clocks and time zones allow a build of the day after its publication. */
function latestOf({ loaded }: ExplorePicture, known: Folders | null): string | undefined {
  const times = loaded.map(({ series }) => folderTime(known?.get(series.channelVersion) ?? '')?.getTime());
  const newest = Math.max(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(newest) ? dateOf(newest + DAY_MS) : undefined;
}

function noteOf(
  { versus, baseline, quantities, loaded }: ExplorePicture,
  { dates, span, lines, submissions }: EvolutionData,
  threshold: number,
): string {
  const outside = dates.filter((date) => date < span[0] || date > span[1]);
  const counts = submissions.flatMap(({ values }) => values);
  const small = counts.filter((value) => value !== null && value < threshold).length;
  const definition = loaded[0]?.definition;
  const shared = quantities.filter((one) => one.startsWith('b')).map((one) => quantityName(one, definition));
  return [
    shared.length === 0 ? '' : `Percent of samples: ${shared.join(', ')}.`,
    versus === 'none' || baseline === undefined ? '' : againstNote(versus, baseline, lines),
    lines.some(({ interval }) => interval !== null) ? 'Band: 95 % interval.' : '',
    small === 0
      ? ''
      : `Faint: ${count(small)} ${small === 1 ? 'date' : 'dates'} with fewer than ${threshold} submissions.`,
    outside.length === 0
      ? ''
      : `Outside: ${count(outside.length)} ${outside.length === 1 ? 'date' : 'dates'} that no build can have; the table has ${outside.length === 1 ? 'it' : 'them'}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

function againstNote(versus: Versus, { name, index }: Baseline, lines: readonly Line[]): string {
  const what = `${versus === 'ratio' ? 'Ratio' : 'Difference'} to ${name}.`;
  const isApart = index !== undefined && lines.slice(1).every(isEmpty);
  return isApart ? `${what} The series have no date in common: choose a reference date.` : what;
}

function isEmpty({ values }: Line): boolean {
  return values.every((value) => value === null);
}

function tableOf(all: readonly EvolutionSeries[], quantities: readonly Quantity[], interpolated: boolean): Table {
  const dates = [...new Set(all.flatMap(({ dated }) => dated.map(([date]) => date)))].toSorted();
  const byDate = all.map(({ dated }) => new Map(dated));
  const values = quantities.filter((quantity) => quantity !== 'submissions');
  return {
    columns: [
      'date',
      ...all.flatMap(({ name }) => [
        `${name}: submissions`,
        ...values.flatMap((quantity) => {
          const title = `${name}: ${quantityName(quantity, all[0]?.definition)}`;
          return quantity === 'samples' ? [title] : [title, `${title}, low`, `${title}, high`];
        }),
      ]),
    ],
    rows: dates.map((date) => [
      dateName(date),
      ...all.flatMap(({ definition }, place) => {
        const sums = byDate[place]?.get(date);
        return [
          sums?.submissions ?? null,
          ...values.flatMap((quantity) => {
            const value = sums === undefined ? null : valueOf(sums, definition, quantity, interpolated);
            if (quantity === 'samples') return [value];
            const estimate = sums === undefined ? null : estimateOf(sums, definition, quantity, interpolated);
            return [value, estimate?.low ?? null, estimate?.high ?? null];
          }),
        ];
      }),
    ]),
  };
}
