/** Draws distributions: bars for one, outlines for several; shares, cumulative shares, or differences of shares. */
import { cumulative, type Definition, percentile, shares, type Sums } from '../../client/index.ts';
import { number, percent, quantityName, signed } from '../format.ts';
import type { Palette } from '../theme.ts';
import type { Versus } from '../state.ts';
import { BucketAxis, axisKind, bucketRange, usedBuckets } from './bucket-axis.ts';
import { linearTicks } from './ticks.ts';

export interface DrawnDistribution {
  /** Place of the series. */
  readonly index: number;
  readonly name: string;
  readonly colour: string;
  readonly dash: number[];
  readonly definition: Definition;
  readonly sums: Sums;
  /** Too few submissions: drawn faintly. */
  readonly dimmed: boolean;
}

export interface DistributionPicture {
  readonly distributions: readonly DrawnDistribution[];
  readonly baseline: Sums | undefined;
  /** Drawn as an outline. */
  readonly reference: Sums | undefined;
  readonly shape: 'bars' | 'cumulative';
  readonly axis: 'auto' | 'log' | 'linear';
  readonly versus: Versus;
  readonly interpolated: boolean;
  readonly percentiles: readonly number[];
  /** Bucket under the pointer. */
  readonly cursor: number | null;
  readonly palette: Palette;
}

const PAD = { left: 54, right: 14, top: 26, bottom: 34 };
export const FONT = '12px ui-sans-serif, system-ui, sans-serif';

/** Heights of one series by bucket, in the unit of the vertical axis. */
export function heights(picture: DistributionPicture, { sums, definition }: DrawnDistribution): number[] {
  const own = shares(sums);
  const { baseline, versus } = picture;
  if (versus !== 'none' && baseline?.counts.length === own.length) {
    const other = shares(baseline);
    if (versus === 'difference') return own.map((share, index) => share - (other[index] ?? 0));
    return own.map((share, index) => ((other[index] ?? 0) > 0 ? share / (other[index] ?? 1) : Number.NaN));
  }
  if (picture.shape === 'cumulative') return cumulative(own);
  if (!isDensity(picture)) return own;
  return own.map((share, index) => {
    const [from, to] = bucketRange(definition.bounds, index);
    return share / (to - from);
  });
}

/** On a linear axis buckets differ in width, so the area must be the share. */
function isDensity({ distributions: [first], axis, shape, versus }: DistributionPicture): boolean {
  return (
    first?.definition.kind === 'exponential' &&
    axisKind(first.definition, axis) === 'linear' &&
    shape === 'bars' &&
    versus === 'none'
  );
}

function verticalTitle(picture: DistributionPicture): string {
  if (picture.versus === 'difference') return 'difference of shares, in percentage points';
  if (picture.versus === 'ratio') return 'ratio of shares';
  if (picture.shape === 'cumulative') return 'share of samples up to the value';
  return isDensity(picture) ? 'share of samples per unit' : 'share of samples in each bucket';
}

export interface Plot {
  readonly axis: BucketAxis;
  readonly buckets: readonly [number, number];
  readonly definition: Definition;
}

/** The horizontal axis of a picture; undefined when there is nothing in it. */
export function plotOf({ distributions, axis }: DistributionPicture, width: number): Plot | undefined {
  // The series with the widest range leads; all others are drawn on its axis.
  const lead = distributions.toSorted(
    (a, b) => (b.definition.bounds.at(-1) ?? 0) - (a.definition.bounds.at(-1) ?? 0),
  )[0];
  if (lead === undefined) return undefined;
  const { definition } = lead;
  const same = distributions.filter((one) => one.definition.bounds.length === definition.bounds.length);
  const buckets = usedBuckets(
    (same.length === distributions.length ? same : distributions.filter((one) => one === lead)).map(({ sums }) => sums),
    definition.bounds.length,
  );
  const inner = Math.max(10, width - PAD.left - PAD.right);
  return { axis: new BucketAxis(axisKind(definition, axis), definition, buckets, inner), buckets, definition };
}

/** The bucket at a distance from the left of the canvas; null outside. */
export function bucketAt(picture: DistributionPicture, width: number, x: number): number | null {
  const plot = plotOf(picture, width);
  if (plot === undefined) return null;
  const [first, last] = plot.buckets;
  for (let index = first; index <= last; index += 1) {
    const [left, right] = plot.axis.sides(plot.definition, index);
    if (x - PAD.left >= left && x - PAD.left < right) return index;
  }
  return null;
}

export function drawDistribution(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  picture: DistributionPicture,
): void {
  const plot = plotOf(picture, width);
  context.font = FONT;
  if (plot === undefined) return;
  const drawn = picture.distributions.map((one) => ({ one, values: heights(picture, one) }));
  const [low, high] = verticalRange(
    picture,
    drawn.map(({ values }) => values),
  );
  const inner = height - PAD.top - PAD.bottom;
  const y = (value: number): number => PAD.top + inner - ((value - low) / (high - low)) * inner;
  drawAxes(context, { width, height, picture, plot, low, high, y });
  context.save();
  context.translate(PAD.left, 0);
  if (picture.cursor !== null) {
    const [left, right] = plot.axis.sides(plot.definition, picture.cursor);
    context.fillStyle = `${picture.palette.accent}22`;
    context.fillRect(left, PAD.top, right - left, inner);
  }
  const zero = picture.versus === 'ratio' ? 1 : 0;
  const filled = drawn.length === 1 && picture.shape === 'bars' && picture.versus !== 'ratio';
  for (const { one, values } of drawn.toReversed()) {
    context.globalAlpha = one.dimmed ? 0.4 : 1;
    if (filled) drawBars(context, plot, one, values, y);
    else drawOutline(context, plot, one, values, { y, zero, picture });
    context.globalAlpha = 1;
  }
  drawReference(context, picture, plot, y);
  drawPercentiles(context, picture, plot, inner);
  context.restore();
}

function verticalRange({ versus, shape }: DistributionPicture, all: readonly (readonly number[])[]): [number, number] {
  const values = all.flat().filter((value) => Number.isFinite(value));
  const most = Math.max(0, ...values);
  if (versus === 'ratio') return [0, Math.min(4, Math.max(2, most)) * 1.05];
  if (versus === 'difference') {
    const size = Math.max(0.001, most, -Math.min(0, ...values)) * 1.1;
    return [-size, size];
  }
  return [0, shape === 'cumulative' ? 1.02 : (most || 1) * 1.1];
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly picture: DistributionPicture;
  readonly plot: Plot;
  readonly low: number;
  readonly high: number;
  readonly y: (value: number) => number;
}

function drawAxes(context: CanvasRenderingContext2D, { width, height, picture, plot, low, high, y }: Frame): void {
  const { palette, versus } = picture;
  const density = isDensity(picture);
  const show = (value: number): string => {
    if (versus === 'ratio') return `${number(value)}×`;
    if (versus === 'difference') return signed(Number((value * 100).toPrecision(3)));
    return density ? number(value) : percent(Number(value.toPrecision(6)));
  };
  context.lineWidth = 1;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const value of linearTicks(low, high, 4)) {
    const line = Math.round(y(value)) + 0.5;
    context.strokeStyle = palette.line;
    context.beginPath();
    context.moveTo(PAD.left, line);
    context.lineTo(width - PAD.right, line);
    context.stroke();
    context.fillStyle = palette.muted;
    context.fillText(show(value), PAD.left - 7, line);
  }
  context.textAlign = 'left';
  context.textBaseline = 'top';
  context.fillText(verticalTitle(picture), 2, 4);
  context.textAlign = 'center';
  for (const [place, name] of plot.axis.ticks(plot.definition, plot.buckets))
    context.fillText(name, Math.min(width - PAD.right - 8, PAD.left + place), height - PAD.bottom + 8);
}

function drawBars(
  context: CanvasRenderingContext2D,
  plot: Plot,
  { colour, definition }: DrawnDistribution,
  values: readonly number[],
  y: (value: number) => number,
): void {
  context.fillStyle = colour;
  const base = y(0);
  const [first, last] = plot.buckets;
  for (let index = first; index <= last; index += 1) {
    const [left, right] = plot.axis.sides(definition, index);
    const top = y(values[index] ?? 0);
    const gap = right - left > 6 ? 1 : right - left > 2 ? 0.5 : 0;
    context.fillRect(left + gap / 2, Math.min(top, base), Math.max(0.5, right - left - gap), Math.abs(base - top));
  }
}

function drawOutline(
  context: CanvasRenderingContext2D,
  plot: Plot,
  { colour, dash, definition }: DrawnDistribution,
  values: readonly number[],
  { y, zero, picture }: { y: (value: number) => number; zero: number; picture: DistributionPicture },
): void {
  const sloped = picture.shape === 'cumulative' && picture.versus === 'none' && picture.interpolated;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.setLineDash(dash);
  context.lineJoin = 'round';
  context.beginPath();
  let before = y(picture.versus === 'none' ? 0 : zero);
  for (const [index, value] of values.entries()) {
    const [left, right] = plot.axis.sides(definition, index);
    const top = Number.isFinite(value) ? y(value) : y(zero);
    if (index === 0) context.moveTo(left, before);
    if (!sloped) context.lineTo(left, top);
    context.lineTo(right, top);
    before = top;
  }
  context.save();
  context.clip(insideOf(plot));
  context.stroke();
  context.restore();
  context.setLineDash([]);
}

/** The distribution of the reference date, behind no other. */
function drawReference(
  context: CanvasRenderingContext2D,
  picture: DistributionPicture,
  plot: Plot,
  y: (value: number) => number,
): void {
  const { reference, palette, versus } = picture;
  if (reference === undefined || versus !== 'none' || reference.counts.length !== plot.definition.bounds.length) return;
  const one = {
    index: -1,
    name: '',
    colour: palette.ink,
    dash: [3, 3],
    definition: plot.definition,
    sums: reference,
    dimmed: false,
  };
  drawOutline(context, plot, one, heights(picture, one), { y, zero: 0, picture });
}

function insideOf({ axis, buckets: [first, last], definition }: Plot): Path2D {
  const [left] = axis.sides(definition, first);
  const [, right] = axis.sides(definition, last);
  const path = new Path2D();
  path.rect(left - 2, PAD.top - 2, right - left + 4, 10_000);
  return path;
}

/** Marks of the chosen percentiles, of a single distribution only: of several they are in the table of figures. */
function drawPercentiles(
  context: CanvasRenderingContext2D,
  picture: DistributionPicture,
  plot: Plot,
  inner: number,
): void {
  const [one, ...others] = picture.distributions;
  if (one === undefined || others.length > 0 || plot.axis.kind === 'categories') return;
  const [first, last] = plot.buckets;
  const [from] = plot.axis.sides(plot.definition, first);
  const [, to] = plot.axis.sides(plot.definition, last);
  const marks = picture.percentiles
    .toSorted((a, b) => a - b)
    .map((p) => ({ p, value: percentile(one.sums, one.definition, p, picture.interpolated) ?? Number.NaN }))
    .map((mark) => ({ ...mark, x: plot.axis.at(mark.value) }))
    .filter(({ x }) => x >= from && x <= to);
  context.strokeStyle = picture.palette.ink;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  context.beginPath();
  for (const { x } of marks) {
    context.moveTo(x, PAD.top);
    context.lineTo(x, PAD.top + inner);
  }
  context.stroke();
  context.setLineDash([]);
  /** Right ends of the labels of each row. */
  const rows = [0, 1, 2, 3, 4].map(() => Number.NEGATIVE_INFINITY);
  // After all lines, so that none crosses a label.
  for (const { p, value, x } of marks) {
    const text = `${p === 50 ? 'median' : quantityName(`p${p}`).replace(' percentile', '')} ${number(value)}`;
    const size = context.measureText(text).width;
    const left = x + size + 8 > to ? x - size - 4 : x + 4;
    const row = rows.findIndex((end) => left > end + 6);
    if (row < 0) continue;
    rows[row] = left + size;
    const top = PAD.top + row * 16;
    context.textAlign = 'left';
    context.fillStyle = picture.palette.paper;
    context.globalAlpha = 0.85;
    context.fillRect(left - 2, top - 1, size + 4, 15);
    context.globalAlpha = 1;
    context.fillStyle = picture.palette.ink;
    context.fillText(text, left, top);
  }
}
