/** The figures of every series, and how each differs from the first one, or from the reference date. */
import {
  compare,
  type Comparison,
  geometricMean,
  isCategorical,
  mean,
  percentileEstimate,
  sampleCount,
  shareEstimate,
  standardDeviation,
  tellingBucket,
  bucketName,
  type Sums,
  type Definition,
} from '../../client/index.ts';
import { count, number, percent, signed } from '../format.ts';
import type { LoadedSeries } from '../store.ts';
import { Swatch } from './panel.tsx';

/** Of the style sheet: what is below must not move when the figures come. */
const HEAD_HEIGHT = 58;
const ROW_HEIGHT = 34.5;

interface FiguresProps {
  /** Rows that there will be. */
  readonly expected: number;
  readonly loaded: readonly LoadedSeries[];
  readonly names: readonly string[];
  readonly baseline: Baseline | undefined;
  readonly interpolated: boolean;
  readonly threshold: number;
}

export interface Baseline {
  readonly name: string;
  readonly sums: Sums;
  /** Place of the series that it is; undefined for a reference date. */
  readonly index: number | undefined;
}

export function Figures({ expected, loaded, names, baseline, interpolated, threshold }: FiguresProps) {
  const [first] = loaded;
  const compares = baseline !== undefined && (loaded.length > 1 || baseline.index === undefined);
  const categorical = first !== undefined && isCategorical(first.definition);
  const against = categorical ? `Share of ${bucketOfBaseline(baseline, first.definition)} against` : 'Median against';
  const geometric = first?.definition.kind === 'exponential';
  return (
    <div
      class={loaded.length === 0 ? 'table-space figures empty' : 'table-space figures'}
      style={{ minHeight: `${HEAD_HEIGHT + ROW_HEIGHT * expected}px` }}
      tabIndex={0}
      role="region"
      aria-label="Figures of the chosen dates"
    >
      <table>
        <caption class="hidden">Figures of the chosen dates</caption>
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col">Submissions</th>
            <th scope="col">Samples</th>
            {categorical ? (
              <th scope="col">Most frequent</th>
            ) : (
              <>
                <th scope="col">
                  Median <small>95 % interval</small>
                </th>
                <th scope="col">95th percentile</th>
                <th scope="col">Mean</th>
                <th scope="col">{geometric ? 'Geometric mean' : 'Standard deviation'}</th>
              </>
            )}
            {compares && (
              <th scope="col">
                {against} {baseline.name} <small>{categorical ? 'points, ' : ''}95 % interval</small>
              </th>
            )}
            {compares && (
              <th scope="col" title="Largest gap between the cumulative distributions (Kolmogorov and Smirnov)">
                Distance
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {loaded.map((one, place) => (
            <FigureRow
              key={one.index}
              {...{ one, interpolated, categorical }}
              name={names[place] ?? ''}
              comparison={
                compares && one.chosen !== undefined && baseline.index !== one.index
                  ? compare(one.chosen, baseline.sums, one.definition, interpolated)
                  : undefined
              }
              hasComparison={compares}
              isSmall={(one.chosen?.submissions ?? 0) < threshold}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function bucketOfBaseline(baseline: Baseline | undefined, definition: Definition): string {
  return baseline === undefined ? '' : bucketName(definition, tellingBucket(baseline.sums, definition));
}

interface FigureRowProps {
  readonly one: LoadedSeries;
  readonly name: string;
  readonly comparison: Comparison | undefined;
  readonly hasComparison: boolean;
  readonly interpolated: boolean;
  readonly categorical: boolean;
  readonly isSmall: boolean;
}

function FigureRow(props: FigureRowProps) {
  const { one, name, comparison, hasComparison, isSmall } = props;
  const { chosen } = one;
  return (
    <tr class={isSmall ? 'small' : undefined}>
      <th scope="row">
        <Swatch index={one.index} /> {name}
      </th>
      {chosen === undefined ? (
        <td colSpan={props.categorical ? 3 : 6}>no dates are chosen</td>
      ) : (
        <>
          <td>
            {count(chosen.submissions)}
            {isSmall && <small> few</small>}
          </td>
          <td>{count(sampleCount(chosen))}</td>
          {props.categorical ? (
            <td>{mostFrequent(chosen, one.definition)}</td>
          ) : (
            <Quantities {...props} chosen={chosen} />
          )}
        </>
      )}
      {hasComparison && <ComparisonCells comparison={comparison} categorical={props.categorical} />}
    </tr>
  );
}

function Quantities({ one: { definition }, interpolated, chosen }: FigureRowProps & { readonly chosen: Sums }) {
  const median = percentileEstimate(chosen, definition, 50, interpolated);
  const p95 = percentileEstimate(chosen, definition, 95, interpolated);
  return (
    <>
      <td>
        <b>{number(median?.value)}</b> {median !== null && <Interval low={median.low} high={median.high} />}
      </td>
      <td>{number(p95?.value)}</td>
      <td>{number(mean(chosen))}</td>
      <td>{spread(chosen, definition)}</td>
    </>
  );
}

/** Exponential measures record logarithms, linear ones squares. */
function spread(sums: Sums, definition: Definition) {
  if (definition.kind === 'exponential') return number(geometricMean(sums));
  const deviation = standardDeviation(sums, definition);
  return (
    <>
      {number(deviation?.value)}
      {deviation?.estimated === true && <small> from buckets</small>}
    </>
  );
}

function mostFrequent(sums: Sums, definition: Definition) {
  const largest = Math.max(...sums.counts);
  const bucket = sums.counts.indexOf(largest);
  const estimate = shareEstimate(sums, bucket);
  if (estimate === null || largest === 0) return '–';
  return (
    <>
      <b>{bucketName(definition, bucket)}</b> {percent(estimate.value)}{' '}
      <small>
        {percent(estimate.low)} – {percent(estimate.high)}
      </small>
    </>
  );
}

function Interval({ low, high }: { readonly low: number; readonly high: number }) {
  return (
    <small>
      {number(low)} – {number(high)}
    </small>
  );
}

function ComparisonCells({
  comparison,
  categorical,
}: {
  readonly comparison: Comparison | undefined;
  readonly categorical: boolean;
}) {
  if (comparison === undefined)
    return (
      <>
        <td class="quiet-cell">baseline</td>
        <td />
      </>
    );
  const { difference, ratio, distance, certain } = comparison;
  const show = (value: number): string => signed(categorical ? Number((value * 100).toPrecision(3)) : value);
  const far = distance !== null && distance.value > distance.limit;
  return (
    <>
      <td>
        {difference === null ? (
          'cannot be compared'
        ) : (
          <>
            <b>{show(difference.value)}</b> {ratio !== null && `×${number(ratio.value)} `}
            <small>
              {show(difference.low)} to {show(difference.high)}
            </small>{' '}
            <small class={certain ? 'sure' : 'unsure'}>{certain ? 'certain' : 'unsure'}</small>
          </>
        )}
      </td>
      <td>
        {distance === null ? (
          <small>other buckets</small>
        ) : (
          <>
            {percent(distance.value)} <small class={far ? 'sure' : 'unsure'}>{far ? 'differs' : 'alike'}</small>
          </>
        )}
      </td>
    </>
  );
}
