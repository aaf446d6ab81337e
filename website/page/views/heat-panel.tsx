import { useRef, useState } from 'preact/hooks';
import { bucketName, type DatedSums, type Definition, shares, within } from '../../client/index.ts';
import { CanvasChart, type Steps } from '../charts/canvas-chart.tsx';
import { drawHeatMap, heatCellAt, type HeatPicture } from '../charts/heat-map.ts';
import type { Table } from '../tables.ts';
import { count, date as dateName, percent } from '../format.ts';
import { Panel, Readout } from '../parts/panel.tsx';
import { change, explore, type LoadedSeries } from '../store.ts';
import { palette } from '../theme.ts';
import { CHART_HEIGHT } from './distribution-panel.tsx';
import type { ExplorePicture } from './explore-picture.ts';

export function HeatPanel({ picture }: { readonly picture: ExplorePicture }) {
  const one = picture.loaded.find(({ index }) => index === explore.value.active) ?? picture.loaded[0];
  const { zoomed } = explore.value;
  const dated = one?.dated.filter(([date]) => !zoomed || within(date, one.range)) ?? [];
  if (one !== undefined && dated.length > 0) return <HeatMap picture={picture} one={one} dated={dated} />;
  return (
    <Panel
      id="heat"
      title="Over time"
      named={picture.named}
      table={() => ({ columns: ['date'], rows: [] })}
      canvases={() => []}
    >
      <p class="nothing" style={{ height: `${CHART_HEIGHT}px` }}>
        {picture.why || 'No date is chosen.'}
      </p>
      <Readout head="date" entries={[]} />
    </Panel>
  );
}

interface HeatMapProps {
  readonly picture: ExplorePicture;
  readonly one: LoadedSeries;
  readonly dated: DatedSums;
}

function HeatMap({ picture, one, dated }: HeatMapProps) {
  const { measure, threshold, interpolated, reference } = explore.value;
  const [cursor, setCursor] = useState<HeatPicture['cursor']>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { index, definition } = one;
  const name = picture.nameOf(index);
  const drawn: HeatPicture = { definition, dated, threshold, interpolated, cursor, reference, palette: palette.value };
  const [head, text] = readoutOf(definition, dated, cursor);
  const choose = (): void => {
    chooseDate(cursor === null ? undefined : dated[cursor.date]?.[0]);
  };
  const steps: Steps = {
    now: cursor?.date ?? null,
    last: dated.length - 1,
    text: cursor === null ? '' : `${head}, ${text}`,
    onMove: (date) => {
      setCursor({ date, bucket: fullest(dated[date]?.[1].counts ?? []) });
    },
    onEnter: choose,
  };
  return (
    <Panel
      id="heat"
      title="Over time"
      named={picture.named}
      table={() => tableOf(definition, dated)}
      canvases={() => (canvas.current === null ? [] : [canvas.current])}
      note={noteOf(name, dated, threshold)}
    >
      <div onClick={choose}>
        <CanvasChart
          height={CHART_HEIGHT}
          canvas={canvas}
          label={`Density of ${measure} over time, date by date; Enter chooses a date`}
          draw={(context, width, height) => {
            drawHeatMap(context, width, height, drawn);
          }}
          onPoint={(x, y, width, height) => {
            setCursor(heatCellAt(drawn, width, height, x, y));
          }}
          onLeave={() => {
            setCursor(null);
          }}
          steps={steps}
        />
      </div>
      <Readout head={head || 'date'} entries={[{ index, name, text }]} />
    </Panel>
  );
}

function readoutOf(definition: Definition, dated: DatedSums, cursor: HeatPicture['cursor']): readonly [string, string] {
  const under = cursor === null ? undefined : dated[cursor.date];
  if (cursor === null || under === undefined) return ['', ''];
  const [date, sums] = under;
  const share = shares(sums)[cursor.bucket] ?? 0;
  const bucket = bucketName(definition, cursor.bucket);
  return [dateName(date), `${bucket}: ${percent(share)} (${count(sums.counts[cursor.bucket] ?? 0)})`];
}

function noteOf(name: string, dated: DatedSums, threshold: number): string {
  const small = dated.filter(([, sums]) => sums.submissions < threshold).length;
  return [
    `Each column is a date of ${name}; the line is the median. Choose a date to see it alone.`,
    small > 0 ? `Faint: fewer than ${threshold} submissions.` : '',
  ].join(' ');
}

function chooseDate(date: string | undefined): void {
  if (date === undefined) return;
  const { from, to } = explore.value;
  const isAlone = from === date && to === date;
  change(isAlone ? { from: undefined, to: undefined } : { from: date, to: date });
}

function fullest(counts: readonly number[]): number {
  return Math.max(0, counts.indexOf(Math.max(...counts)));
}

function tableOf(definition: Definition, dated: DatedSums): Table {
  return {
    columns: ['date', ...definition.bounds.map((_, bucket) => bucketName(definition, bucket))],
    rows: dated.map(([date, sums]) => [dateName(date), ...sums.counts]),
  };
}
