/** Before and after a change: figures side by side, and both distributions in one picture. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { addSums, type Change, type ChangeSide, type Definition, type Sums } from '../../client/index.ts';
import { ask } from '../../worker/ask.ts';
import { type DistributionPicture, drawDistribution } from '../charts/distribution.ts';
import { date as dateName, datesName, number } from '../format.ts';
import { NO_FILTER } from '../state.ts';
import { palette } from '../theme.ts';

export function Sides({ change: { before, after } }: { readonly change: Change }) {
  const rows: readonly (readonly [string, keyof Omit<ChangeSide, 'dates'>])[] = [
    ['median', 'median'],
    ['95th percentile', 'p95'],
    ['mean', 'mean'],
    ['submissions', 'submissions'],
  ];
  const present = rows.filter(([, name]) => before[name] !== null || after[name] !== null);
  if (present.length === 0) return null;
  // A measure that is new, or whose older rows have other buckets, has nothing to compare with.
  const sides = (
    [
      ['before', before],
      ['after', after],
    ] as const
  ).filter(([, { dates }]) => dates.length > 0);
  return (
    <table class="sides">
      <thead>
        <tr>
          <td />
          {sides.map(([name, side]) => (
            <th key={name} scope="col">
              {name} <SideDates side={side} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {present.map(([label, name]) => (
          <tr key={name}>
            <th scope="row">{label}</th>
            {sides.map(([of, side]) => (
              <td key={of}>{number(side[name])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function SideDates({ side: { dates } }: { readonly side: ChangeSide }) {
  return dates.length === 0 ? null : <small>{datesName(dates[0], dates.at(-1))}</small>;
}

interface Pair {
  readonly definition: Definition;
  readonly before: Sums | undefined;
  readonly after: Sums | undefined;
}

async function loadPair({ channelVersion, measure, by, filter, before, after }: Change): Promise<Pair> {
  const { definition, dated } = await ask(
    'sums',
    channelVersion,
    measure,
    by,
    NO_FILTER.map((_, level) => filter[level] ?? ''),
  );
  const of = ({ dates }: ChangeSide): Sums | undefined =>
    addSums(dated.filter(([date]) => dates.includes(date)).map(([, sums]) => sums));
  return { definition, before: of(before), after: of(after) };
}

const HEIGHT = 190;

/** Both distributions, drawn when the card comes into view. */
export function BeforeAfter({ change }: { readonly change: Change }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [pair, setPair] = useState<Pair | string | null>(null);
  const theme = palette.value;
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting !== true) return;
        observer.disconnect();
        loadPair(change).then(setPair, () => {
          setPair('The measure’s file is no longer there.');
        });
      },
      { rootMargin: '200px' },
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, [change.id]);
  const picture = useMemo(
    () => (pair === null || typeof pair === 'string' ? undefined : pictureOf(pair, theme)),
    [pair, theme],
  );
  useLayoutEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (element === null || !context || picture === undefined) return;
    const scale = window.devicePixelRatio || 1;
    const width = element.clientWidth;
    [element.width, element.height] = [width * scale, HEIGHT * scale];
    context.scale(scale, scale);
    drawDistribution(context, width, HEIGHT, picture);
  }, [picture]);
  const isEmpty = picture?.distributions.length === 0;
  return (
    <figure class="before-after">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Distributions of ${change.measure} before and after ${dateName(change.date)}`}
        style={{ height: `${HEIGHT}px` }}
      />
      <figcaption class="note">
        {typeof pair === 'string' ? (
          pair
        ) : isEmpty ? (
          'These dates are no longer in the data set.'
        ) : (
          <>
            {pair?.before !== undefined && (
              <>
                <i class="key before" /> before{' '}
              </>
            )}
            <i class="key after" /> after
          </>
        )}
      </figcaption>
    </figure>
  );
}

function pictureOf({ definition, before, after }: Pair, theme: DistributionPicture['palette']): DistributionPicture {
  const side = (name: string, sums: Sums | undefined, colour: string, dash: number[]) =>
    sums === undefined ? [] : [{ index: 0, name, sums, colour, dash, definition, dimmed: false }];
  return {
    distributions: [
      ...side('after', after, theme.series[1] ?? theme.ink, []),
      ...side('before', before, theme.series[0] ?? theme.ink, [5, 3]),
    ],
    baseline: undefined,
    reference: undefined,
    shape: 'bars',
    axis: 'auto',
    versus: 'none',
    interpolated: true,
    percentiles: [],
    cursor: null,
    palette: theme,
  };
}
