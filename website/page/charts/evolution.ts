/** Lines over dates with uPlot: percentiles, means and counts, and a strip of submissions beneath. */
import uPlot from 'uplot';
import { short } from '../format.ts';
import type { Palette } from '../theme.ts';
import { axis, dateTicks, paddedRange, secondsOf, yRange } from './evolution-axes.ts';
import { FONT } from './distribution.ts';
import type { Quantity } from '../state.ts';
import type { EvolutionData, Line } from './evolution-data.ts';
import { spread } from './ticks.ts';

export interface EvolutionPicture {
  readonly data: EvolutionData;
  /** Of each line, at its right end. */
  readonly labels: readonly string[];
  readonly palette: Palette;
  readonly colourOf: (index: number) => string;
  readonly dashOf: (index: number) => number[];
  /** Chosen dates, drawn as a band. */
  readonly chosen: { readonly from: string | undefined; readonly to: string | undefined };
  readonly reference: string | undefined;
  readonly fromZero: boolean;
  /** Of a ratio; of values it is that of their measure, which nobody knows. */
  readonly unit: '' | '×';
}

export interface EvolutionEvents {
  /** Place of the date under the pointer. */
  onCursor(place: number | null): void;
  /** Dates that were dragged over. */
  onChoose(from: string, to: string): void;
}

const STRIP_HEIGHT = 92;
const NARROW = 400;
const SYNC = 'evolution';

const NO_LABELS = 16;
const CHARACTER = 6.6;

/** Beside the lines; none on a narrow screen, where the legend has to do. */
function labelSpace(width: number, labels: readonly string[]): number {
  if (width < NARROW || labels.length < 2) return NO_LABELS;
  const longest = Math.max(...labels.map((label) => label.length));
  return Math.min(width * 0.24, longest * CHARACTER + 24);
}

export interface DrawnEvolution {
  readonly canvases: readonly HTMLCanvasElement[];
  moveTo(place: number): void;
  destroy(): void;
}

/** Draws into an empty element as wide as it is. */
export function drawEvolution(
  element: HTMLElement,
  width: number,
  height: number,
  picture: EvolutionPicture,
  events: EvolutionEvents,
): DrawnEvolution {
  const slots = slotsOf(picture.data.dates);
  const seconds = slots.map(({ second }) => second);
  const placed = (values: readonly (number | null)[]): (number | null)[] =>
    slots.map(({ place }) => (place === null ? null : (values[place] ?? null)));
  const right = labelSpace(width, picture.labels);
  const main = new uPlot(
    mainOptions(width, height - STRIP_HEIGHT, right, picture, {
      ...events,
      onCursor: (slot) => {
        events.onCursor(slot === null ? null : (slots[slot]?.place ?? null));
      },
    }),
    [seconds, ...columnsOf(picture.data).map(placed)] as uPlot.AlignedData,
    element,
  );
  const strip = new uPlot(
    stripOptions(width, right, picture, events),
    [seconds, ...picture.data.submissions.map(({ values }) => placed(values))] as uPlot.AlignedData,
    element,
  );
  return {
    canvases: [main.ctx.canvas, strip.ctx.canvas],
    moveTo: (place) => {
      const second = slots.find((slot) => slot.place === place)?.second;
      if (second !== undefined) main.setCursor({ left: main.valToPos(second, 'x'), top: 10 });
    },
    destroy: () => {
      main.destroy();
      strip.destroy();
    },
  };
}

interface Slot {
  readonly second: number;
  /** Of the date; null for a gap. */
  readonly place: number | null;
}

const GAP_SECONDS = 14 * 86_400;

/** The dates, with a gap between those that are far apart: nothing is known of the time between, so no line crosses it. */
function slotsOf(dates: readonly string[]): readonly Slot[] {
  return dates.flatMap((date, place): Slot[] => {
    const second = secondsOf(date);
    const before = dates[place - 1];
    const isFar = before !== undefined && second - secondsOf(before) > GAP_SECONDS;
    return [...(isFar ? [{ second: second - GAP_SECONDS / 2, place: null }] : []), { second, place }];
  });
}

/** Two columns a line, faint and whole, and two more of its interval. */
function columnsOf({ lines }: EvolutionData): (readonly (number | null)[])[] {
  return lines.flatMap(({ values, solid, interval }) => [
    values,
    solid,
    ...(interval === null
      ? []
      : [interval.map((estimate) => estimate?.high ?? null), interval.map((estimate) => estimate?.low ?? null)]),
  ]);
}

function mainOptions(
  width: number,
  height: number,
  right: number,
  picture: EvolutionPicture,
  events: EvolutionEvents,
): uPlot.Options {
  const { data, palette, colourOf } = picture;
  const [first] = data.lines;
  const color = first === undefined ? palette.ink : colourOf(first.index);
  const hasInterval = first !== undefined && first.interval !== null;
  return {
    width,
    height,
    padding: [12, right, 10, 0],
    legend: { show: false },
    series: [{}, ...data.lines.flatMap((line) => lineSeries(line, picture))],
    bands: hasInterval ? [{ series: [3, 4], fill: `${color}26` }] : fanOf(data, color),
    scales: { x: { time: true, range: paddedRange(data) }, y: { range: yRange(picture.fromZero) } },
    axes: [
      { ...axis(palette), show: false },
      { ...axis(palette), size: 54, values: (_, ticks) => ticks.map((tick) => short(tick) + unitOf(picture)) },
    ],
    cursor: cursorOptions(),
    hooks: {
      setCursor: [
        ({ cursor }) => {
          events.onCursor(cursor.idx ?? null);
        },
      ],
      setSelect: [
        (plot) => {
          select(plot, data, events);
        },
      ],
      drawClear: [
        (plot) => {
          drawBand(plot, picture);
          drawStarts(plot, picture);
        },
      ],
      draw: [
        (plot) => {
          drawLabels(plot, picture, right);
        },
      ],
    },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
  };
}

function unitOf({ data, unit }: EvolutionPicture): string {
  return unit || (data.lines.every(({ quantity }) => quantity.startsWith('b')) ? ' %' : '');
}

/** Between symmetrical percentiles of one series. */
function fanOf({ lines, submissions }: EvolutionData, color: string): uPlot.Band[] {
  if (submissions.length !== 1) return [];
  const places = new Map(lines.map(({ quantity }, place) => [quantity, place * 2 + 1]));
  return PAIRS.flatMap(([upper, lower]) => {
    const [high, low] = [places.get(upper), places.get(lower)];
    return high === undefined || low === undefined ? [] : [{ series: [high, low], fill: `${color}18` }];
  });
}

const PAIRS: readonly (readonly [Quantity, Quantity])[] = [
  ['p95', 'p5'],
  ['p75', 'p25'],
];

function lineSeries({ index, quantity, interval }: Line, { colourOf, dashOf, data }: EvolutionPicture): uPlot.Series[] {
  const stroke = colourOf(index);
  const dash = dashOf(index);
  const few = data.dates.length < 40;
  const isMain = quantity === 'p50' || data.lines.every((line) => line.quantity !== 'p50');
  const width = isMain ? 2 : 1.25;
  const hidden: uPlot.Series = { show: true, points: { show: false }, width: 0 };
  return [
    {
      stroke: `${stroke}66`,
      width,
      dash,
      spanGaps: true,
      points: { show: few, size: 6, stroke, fill: '#8880', width: 1 },
    },
    { stroke, width, dash, points: { show: few, size: 5, fill: stroke, stroke } },
    ...(interval === null ? [] : [hidden, hidden]),
  ];
}

function stripOptions(
  width: number,
  right: number,
  { data, palette, colourOf, dashOf, chosen, reference, ...rest }: EvolutionPicture,
  events: EvolutionEvents,
): uPlot.Options {
  const alone = data.submissions.length === 1;
  const bars = uPlot.paths.bars?.({ size: [0.7, 18, 2] });
  return {
    width,
    height: STRIP_HEIGHT,
    padding: [8, right, 0, 0],
    legend: { show: false },
    series: [
      {},
      ...data.submissions.map(({ index }): uPlot.Series => {
        const stroke = colourOf(index);
        return alone && bars !== undefined
          ? { stroke, fill: `${stroke}aa`, width: 0, paths: bars, points: { show: false } }
          : { stroke, width: 1.5, dash: dashOf(index), spanGaps: true, points: { show: data.dates.length < 3 } };
      }),
    ],
    scales: { x: { time: true, range: paddedRange(data) }, y: { range: (_, __, high) => [0, (high || 1) * 1.15] } },
    axes: [
      { ...axis(palette), grid: { show: false }, space: 70, values: dateTicks() },
      { ...axis(palette), size: 54, values: (_, ticks) => ticks.map(short), space: 20 },
    ],
    cursor: cursorOptions(),
    hooks: {
      setSelect: [
        (plot) => {
          select(plot, data, events);
        },
      ],
      drawClear: [
        (plot) => {
          drawBand(plot, { data, palette, colourOf, dashOf, chosen, reference, ...rest });
        },
      ],
    },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
  };
}

function cursorOptions(): uPlot.Cursor {
  return {
    y: false,
    sync: { key: SYNC },
    drag: { x: true, y: false, setScale: false },
    points: { show: false },
  };
}

function select(plot: uPlot, { dates }: EvolutionData, events: EvolutionEvents): void {
  const { left, width } = plot.select;
  if (width < 3) return;
  const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
  const inside = dates.filter((date) => secondsOf(date) >= from && secondsOf(date) <= to);
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  const [first, last] = [inside[0], inside.at(-1)];
  if (first !== undefined && last !== undefined) events.onChoose(first, last);
}

function drawBand(plot: uPlot, { chosen, palette, reference }: EvolutionPicture): void {
  const { ctx, bbox } = plot;
  const at = (date: string, shift: number): number => plot.valToPos(secondsOf(date) + shift, 'x', true);
  ctx.save();
  if ((chosen.from ?? chosen.to) !== undefined) {
    const from = chosen.from === undefined ? bbox.left : Math.max(bbox.left, at(chosen.from, -43_200));
    const to =
      chosen.to === undefined ? bbox.left + bbox.width : Math.min(bbox.left + bbox.width, at(chosen.to, 43_200));
    ctx.fillStyle = `${palette.accent}16`;
    ctx.fillRect(from, bbox.top, Math.max(0, to - from), bbox.height);
  }
  if (reference !== undefined) {
    const x = Math.round(at(reference, 0)) + 0.5;
    ctx.strokeStyle = palette.ink;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

/** Where each version begins, if they begin at different dates. */
function drawStarts(plot: uPlot, { data, palette, colourOf }: EvolutionPicture): void {
  const starts = data.submissions.map(({ index, values }) => ({
    index,
    date: data.dates[values.findIndex((value) => value !== null)],
    name: data.lines.find((line) => line.index === index)?.name ?? '',
  }));
  if (new Set(starts.map(({ date }) => date)).size < 2) return;
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = FONT.replace('12px', `${11 * scale}px`);
  ctx.textBaseline = 'top';
  for (const [place, { index, date, name }] of starts.entries()) {
    if (date === undefined) continue;
    const x = plot.valToPos(secondsOf(date), 'x', true);
    ctx.strokeStyle = colourOf(index);
    ctx.lineWidth = scale;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + (place % 4) * 13 * scale + 12 * scale);
    ctx.stroke();
    ctx.fillStyle = palette.muted;
    ctx.fillText(name, x + 3 * scale, bbox.top + (place % 4) * 13 * scale);
  }
  ctx.restore();
}

function shortened(text: string, space: number): string {
  const most = Math.floor((space - 22) / CHARACTER);
  return text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
}

/** Names beside the ends of the lines: nobody has to match colours with a legend. */
function drawLabels(plot: uPlot, { data, labels, palette, colourOf }: EvolutionPicture, right: number): void {
  if (right <= NO_LABELS) return;
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  const ends = data.lines.flatMap((line, place) => {
    const value = line.values.findLast((one): one is number => one !== null);
    if (value === undefined) return [];
    return [{ line, text: labels[place] ?? '', y: plot.valToPos(value, 'y', true) }];
  });
  const places = spread(
    ends.map(({ y }) => y),
    14 * scale,
    bbox.top + bbox.height,
  );
  ctx.save();
  ctx.font = FONT.replace('12px', `${12 * scale}px`);
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  const x = bbox.left + bbox.width + 6 * scale;
  for (const [place, { line, text, y }] of ends.entries()) {
    ctx.strokeStyle = colourOf(line.index);
    ctx.lineWidth = 2 * scale;
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + 7 * scale, places[place] ?? y);
    ctx.stroke();
    ctx.fillStyle = palette.ink;
    ctx.fillText(shortened(text, right), x + 10 * scale, places[place] ?? y);
  }
  ctx.restore();
}
