/** Draws how the distribution changes: a column for each date, a row for each bucket, the darker the more samples. */
import { bucketName, type DatedSums, type Definition, percentile, shares } from '../../client/index.ts';
import { date as dateName } from '../format.ts';
import { heatColour, type Palette } from '../theme.ts';
import { usedBuckets } from './bucket-axis.ts';
import { FONT } from './distribution.ts';
import { spaced } from './ticks.ts';

export interface HeatPicture {
  readonly definition: Definition;
  readonly dated: DatedSums;
  readonly threshold: number;
  readonly interpolated: boolean;
  readonly cursor: { readonly date: number; readonly bucket: number } | null;
  readonly reference: string | undefined;
  readonly palette: Palette;
}

const SHADES = 96;
const PAD = { left: 62, right: 14, top: 26, bottom: 34 };

interface Grid {
  readonly first: number;
  readonly last: number;
  readonly cell: number;
  readonly row: number;
}

function gridOf({ dated, definition }: HeatPicture, width: number, height: number): Grid {
  const [first, last] = usedBuckets(
    dated.map(([, sums]) => sums),
    definition.bounds.length,
  );
  return {
    first,
    last,
    cell: Math.max(0.5, (width - PAD.left - PAD.right) / Math.max(1, dated.length)),
    row: (height - PAD.top - PAD.bottom) / (last - first + 1),
  };
}

export function heatCellAt(
  picture: HeatPicture,
  width: number,
  height: number,
  x: number,
  y: number,
): { date: number; bucket: number } | null {
  const { first, last, cell, row } = gridOf(picture, width, height);
  const date = Math.floor((x - PAD.left) / cell);
  const bucket = last - Math.floor((y - PAD.top) / row);
  const isInside = date >= 0 && date < picture.dated.length && bucket >= first && bucket <= last;
  return isInside ? { date, bucket } : null;
}

export function drawHeatMap(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  picture: HeatPicture,
): void {
  const { dated, palette, threshold } = picture;
  if (dated.length === 0) return;
  const grid = gridOf(picture, width, height);
  const { first, last, cell, row } = grid;
  const columns = dated.map(([, sums]) => shares(sums));
  const most = Math.max(1e-9, ...columns.flat());
  // Texts of colours cost more than rectangles, so there are some dozens and not one for each cell.
  const colours = Array.from({ length: SHADES + 1 }, (_, shade) => `rgb(${heatColour(shade / SHADES).join(' ')})`);
  for (const [place, column] of columns.entries()) {
    const small = (dated[place]?.[1].submissions ?? 0) < threshold;
    const left = PAD.left + place * cell;
    context.globalAlpha = small ? 0.35 : 1;
    for (let bucket = first; bucket <= last; bucket += 1) {
      const share = column[bucket] ?? 0;
      if (share === 0) continue;
      // The root shows rare values too; the legend's ends say what the colours mean.
      context.fillStyle = colours[Math.round(Math.sqrt(share / most) * SHADES)] ?? palette.paper;
      context.fillRect(left, PAD.top + (last - bucket) * row, cell - (cell > 5 ? 1 : 0), Math.ceil(row * 2) / 2);
    }
    context.globalAlpha = 1;
  }
  drawMedian(context, picture, grid);
  drawFrame(context, width, height, picture, grid, most);
  context.fillStyle = palette.ink;
}

/** Where in a bucket the median is, joined by a line. */
function drawMedian(context: CanvasRenderingContext2D, picture: HeatPicture, { first, last, cell, row }: Grid): void {
  const { dated, definition, palette } = picture;
  if (definition.kind !== 'exponential' && definition.kind !== 'linear') return;
  context.lineWidth = 4;
  context.strokeStyle = palette.paper;
  const path = new Path2D();
  let isOpen = false;
  for (const [place, [, sums]] of dated.entries()) {
    const value = percentile(sums, definition, 50, picture.interpolated);
    if (value === null) {
      isOpen = false;
      continue;
    }
    const bucket = bucketOf(definition.bounds, value);
    const [from, to] = [definition.bounds[bucket] ?? 0, definition.bounds[bucket + 1] ?? value + 1];
    const part = Math.min(1, Math.max(0, (value - from) / Math.max(1e-9, to - from)));
    const y = PAD.top + (last + 1 - bucket - part) * row;
    const x = PAD.left + (place + 0.5) * cell;
    if (bucket < first || bucket > last) continue;
    if (isOpen) path.lineTo(x, y);
    else path.moveTo(x, y);
    if (dated.length === 1) path.lineTo(x + 1, y);
    isOpen = true;
  }
  context.lineJoin = 'round';
  context.stroke(path);
  context.lineWidth = 1.75;
  context.strokeStyle = palette.series[1] ?? palette.ink;
  context.stroke(path);
}

function bucketOf(bounds: readonly number[], value: number): number {
  let index = 0;
  while (index + 1 < bounds.length && (bounds[index + 1] ?? 0) <= value) index += 1;
  return index;
}

function drawFrame(
  context: CanvasRenderingContext2D,
  width: number,
  height: number,
  picture: HeatPicture,
  { first, last, cell, row }: Grid,
  most: number,
): void {
  const { dated, definition, palette, cursor, reference } = picture;
  context.font = FONT;
  context.fillStyle = palette.muted;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const rows = Array.from({ length: last - first + 1 }, (_, place) => last - place);
  const categorical = definition.kind !== 'exponential' && definition.kind !== 'linear';
  for (const bucket of spaced(rows, (index) => (last - index) * row, 22)) {
    const name = categorical ? bucketName(definition, bucket) : String(definition.bounds[bucket] ?? '');
    // Values are at the lower side of their row, names in its middle.
    const y = PAD.top + (last - bucket + (categorical ? 0.5 : 1)) * row;
    context.fillText(name.length > 9 ? `${name.slice(0, 8)}…` : name, PAD.left - 7, Math.min(y, height - PAD.bottom));
  }
  context.textAlign = 'center';
  context.textBaseline = 'top';
  const columns = dated.map(([day], place) => ({ day, x: PAD.left + (place + 0.5) * cell }));
  for (const { day, x } of spaced(columns, (column) => column.x, 92))
    if (x + 40 < width) context.fillText(dateName(day), Math.max(x, 40), height - PAD.bottom + 8);
  drawLegend(context, width, picture, most);
  const marked = dated.findIndex(([day]) => day === reference);
  if (marked >= 0) outline(context, marked * cell, cell, height, palette.ink);
  if (cursor !== null) outline(context, cursor.date * cell, cell, height, palette.accent);
}

function outline(context: CanvasRenderingContext2D, x: number, cell: number, height: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.strokeRect(PAD.left + x - 0.5, PAD.top - 0.5, cell, height - PAD.top - PAD.bottom + 1);
}

function drawLegend(context: CanvasRenderingContext2D, width: number, { palette }: HeatPicture, most: number): void {
  const [size, right] = [90, width - PAD.right - 44];
  for (let x = 0; x < size; x += 1) {
    const [red, green, blue] = heatColour(Math.sqrt(x / size));
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect(right - size + x, 7, 1.5, 9);
  }
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  context.strokeRect(right - size - 0.5, 6.5, size + 1, 10);
  context.fillStyle = palette.muted;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  context.fillText('0 %', right - size - 6, 12);
  context.textAlign = 'left';
  context.fillText(`${(most * 100).toPrecision(2)} %`, right + 6, 12);
  context.fillText('bucket', 2, 12);
  context.textAlign = 'center';
}
