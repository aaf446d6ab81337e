import { useRef, useState } from 'preact/hooks';
import { bucketName, cumulative, sampleCount, shares } from '../../client/index.ts';
import { axisKind, type AxisKind } from '../charts/bucket-axis.ts';
import { CanvasChart } from '../charts/canvas-chart.tsx';
import { bucketAt, type DistributionPicture, drawDistribution, heights, plotOf } from '../charts/distribution.ts';
import type { Table } from '../tables.ts';
import { count, number, percent, points } from '../format.ts';
import { Choice, Panel, Readout, type ReadoutEntry } from '../parts/panel.tsx';
import type { ExploreState } from '../state.ts';
import { change, explore } from '../store.ts';
import { colourOf, dashOf, type Palette, palette } from '../theme.ts';
import type { ExplorePicture } from './explore-picture.ts';

export const CHART_HEIGHT = 376;

export function DistributionPanel({ picture }: { readonly picture: ExplorePicture }) {
  const state = explore.value;
  const [cursor, setCursor] = useState<number | null>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = pictureOf(picture, state, cursor, palette.value);
  const plot = plotOf(drawn, 600);
  const [low, high] = plot?.buckets ?? [0, 0];
  const name = plot === undefined || cursor === null ? '' : bucketName(plot.definition, cursor);
  const entries = readoutOf(drawn, cursor);
  const kind = plot === undefined ? 'categories' : axisKind(plot.definition, state.axis);
  return (
    <Panel
      id="distribution"
      title="Distribution"
      named={picture.named}
      table={() => tableOf(drawn)}
      canvases={() => (canvas.current === null ? [] : [canvas.current])}
      note={noteOf(drawn, low, high)}
      switches={<Switches shape={state.shape} kind={kind} />}
    >
      {plot === undefined ? (
        <p class="nothing" style={{ height: `${CHART_HEIGHT}px` }}>
          {picture.why || 'There are no samples in the chosen dates.'}
        </p>
      ) : (
        <CanvasChart
          height={CHART_HEIGHT}
          canvas={canvas}
          label={`Distribution of ${state.measure}, bucket by bucket`}
          draw={(context, width, height) => {
            drawDistribution(context, width, height, drawn);
          }}
          onPoint={(x, _, width) => {
            setCursor(bucketAt(drawn, width, x));
          }}
          onLeave={() => {
            setCursor(null);
          }}
          steps={{
            now: cursor === null ? null : cursor - low,
            last: high - low,
            text: cursor === null ? '' : [name, ...entries.map((entry) => `${entry.name} ${entry.text}`)].join(', '),
            onMove: (place) => {
              setCursor(low + place);
            },
          }}
        />
      )}
      <Readout head={name || (kind === 'categories' ? 'answer' : 'value')} entries={entries} />
    </Panel>
  );
}

function Switches({ shape, kind }: { readonly shape: ExploreState['shape']; readonly kind: AxisKind }) {
  return (
    <>
      <Choice
        label="Shape"
        value={shape}
        values={[
          ['bars', 'Shares'],
          ['cumulative', 'Cumulative'],
        ]}
        onChoose={(value) => {
          change({ shape: value });
        }}
      />
      {kind !== 'categories' && (
        <Choice
          label="Axis of values"
          value={kind}
          values={[
            ['log', 'Log'],
            ['linear', 'Linear'],
          ]}
          onChoose={(value) => {
            change({ axis: value });
          }}
        />
      )}
    </>
  );
}

function pictureOf(
  { loaded, nameOf, baseline, versus, quantities }: ExplorePicture,
  { shape, axis, interpolated, threshold }: ExploreState,
  cursor: number | null,
  theme: Palette,
): DistributionPicture {
  return {
    distributions: loaded.flatMap(({ index, definition, chosen }) => {
      if (chosen === undefined || sampleCount(chosen) === 0) return [];
      const look = { colour: colourOf(index), dash: dashOf(index), dimmed: chosen.submissions < threshold };
      return [{ index, name: nameOf(index), definition, sums: chosen, ...look }];
    }),
    baseline: baseline?.sums,
    reference: baseline?.index === undefined ? baseline?.sums : undefined,
    shape,
    axis,
    versus,
    interpolated,
    percentiles: quantities.filter((one) => one.startsWith('p')).map((one) => Number(one.slice(1))),
    cursor,
    palette: theme,
  };
}

function readoutOf(drawn: DistributionPicture, cursor: number | null): ReadoutEntry[] {
  return drawn.distributions.map((one) => {
    const entry = { index: one.index, name: one.name };
    if (cursor === null) return { ...entry, text: '' };
    // Shares are easier to read than their density.
    const value = heights({ ...drawn, axis: 'log' }, one)[cursor] ?? Number.NaN;
    if (drawn.versus === 'difference') return { ...entry, text: points(value) };
    if (drawn.versus === 'ratio') return { ...entry, text: `×${number(value)}` };
    return { ...entry, text: `${percent(value)} (${count(one.sums.counts[cursor] ?? 0)})` };
  });
}

function noteOf(drawn: DistributionPicture, low: number, high: number): string {
  const [first, ...others] = drawn.distributions;
  if (first === undefined) return '';
  const hidden = first.definition.bounds.length - (high - low + 1);
  const differ = others.some(({ definition }) => definition.bounds.join() !== first.definition.bounds.join());
  return [
    drawn.reference === undefined || drawn.versus !== 'none' ? '' : 'Dashed: the reference date.',
    hidden === 0 ? '' : `${hidden} empty ${hidden === 1 ? 'bucket' : 'buckets'} at the ends not drawn.`,
    first.definition.pending ? 'The definition is pending: numbers are those of buckets, not values.' : '',
    differ ? 'The series have different buckets; differences by bucket need equal ones.' : '',
    drawn.distributions.some(({ dimmed }) => dimmed) ? 'Faint: fewer submissions than the threshold.' : '',
  ]
    .filter(Boolean)
    .join(' ');
}

function tableOf({ distributions }: DistributionPicture): Table {
  const [first] = distributions;
  if (first === undefined) return { columns: ['bucket'], rows: [] };
  const { definition } = first;
  const equal = distributions.filter((one) => one.definition.bounds.join() === definition.bounds.join());
  const parts = equal.map(({ sums }) => ({ sums, own: shares(sums), total: cumulative(shares(sums)) }));
  return {
    columns: [
      'bucket',
      'from',
      'below',
      ...equal.flatMap(({ name }) => [`${name}: samples`, `${name}: share`, `${name}: cumulative share`]),
    ],
    rows: definition.bounds.map((from, bucket) => [
      bucketName(definition, bucket),
      from,
      definition.bounds[bucket + 1] ?? null,
      ...parts.flatMap(({ sums, own, total }) => [sums.counts[bucket] ?? 0, own[bucket] ?? 0, total[bucket] ?? 0]),
    ]),
  };
}
