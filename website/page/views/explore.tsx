/** Explore: one selection, three views. */
import { signal } from '@preact/signals';
import { useMemo, useState } from 'preact/hooks';
import { type ByDate, filterName } from '../../client/index.ts';
import { ask } from '../../worker/ask.ts';
import { datesName } from '../format.ts';
import { Figures } from '../parts/figures.tsx';
import { MeasureSearch } from '../parts/measure-search.tsx';
import { Choice } from '../parts/panel.tsx';
import { DateSelect, SeriesList } from '../parts/series-list.tsx';
import type { Versus } from '../state.ts';
import { change, config, explore, folders, measures, shown } from '../store.ts';
import { DistributionPanel } from './distribution-panel.tsx';
import { EvolutionPanel } from './evolution-panel.tsx';
import { explorePicture } from './explore-picture.ts';
import { HeatPanel } from './heat-panel.tsx';

const wide = matchMedia('(min-width: 861px)');
/** On a narrow screen the selection would hide what is selected. */
const isWide = signal(wide.matches);
wide.addEventListener('change', ({ matches }) => (isWide.value = matches));

export function Explore() {
  const { series, measure, reference, versus, quantities, interpolated, threshold } = explore.value;
  const { loaded, nothing, waits } = shown.value;
  const picture = useMemo(
    () => explorePicture(loaded, nothing, { measure, reference, versus, quantities }),
    [loaded, nothing, measure, reference, versus, quantities],
  );
  const isFirst = waits && loaded.length === 0;
  if (folders.value?.size === 0)
    return (
      <main id="main" class="alone">
        <h1>Nothing is published yet</h1>
        <p>The data set is there, but no day has been published in it. Run a day, then reload this page.</p>
      </main>
    );
  return (
    <main id="main" class="explore">
      <aside aria-label="Selection">
        <MeasureSearch
          measures={measures.value.measures}
          measure={measure}
          onChoose={(chosen) => {
            change({ measure: chosen });
          }}
        />
        <details class="selection" open={isWide.value}>
          <summary>Dates, series and filters</summary>
          <Dates />
          <SeriesList />
          <Options />
        </details>
      </aside>
      <div class={waits ? 'views waits' : 'views'} aria-busy={waits}>
        <MeasureHead />
        <Figures
          expected={series.length}
          loaded={picture.loaded}
          names={picture.loaded.map(({ index }) => picture.nameOf(index))}
          baseline={picture.baseline}
          interpolated={interpolated}
          threshold={threshold}
        />
        <p class="hidden" role="status">
          {isFirst ? 'Loading' : picture.why}
        </p>
        <div class="grid">
          {isFirst ? (
            <Waiting />
          ) : (
            <>
              <DistributionPanel picture={picture} />
              <EvolutionPanel picture={picture} />
              <HeatPanel picture={picture} />
            </>
          )}
        </div>
      </div>
    </main>
  );
}

/** As large as what comes, so that nothing moves. */
function Waiting() {
  return (
    <>
      {['Distribution', 'Evolution', 'Over time'].map((title) => (
        <section class={`panel waiting panel-${title === 'Over time' ? 'heat' : title.toLowerCase()}`} key={title}>
          <header class="panel-head">
            <h2>{title}</h2>
          </header>
        </section>
      ))}
    </>
  );
}

function MeasureHead() {
  const { measure, by, from, to } = explore.value;
  const [first] = shown.value.loaded;
  return (
    <header class="measure-head">
      <div>
        <h1>{measure || 'Telemetry'}</h1>
        <Description measure={measure} />
      </div>
      <div class="measure-side">
        <p class="note">
          {first === undefined ? ' ' : `${filterName(first.series.filter)}, ${datesName(from, to)}, by ${by} date`}
        </p>
        <p class="links">
          <CopyLink />
          <RawLink />
        </p>
      </div>
    </header>
  );
}

/** Of the list until the measure itself is there. */
function Description({ measure }: { readonly measure: string }) {
  const { loaded, measure: drawn } = shown.value;
  const definition = drawn === measure ? loaded[0]?.definition : undefined;
  const listed = measures.value.measures.find(({ name }) => name === measure);
  const { kind, description } =
    definition === undefined
      ? { kind: '', description: '', ...listed }
      : { kind: definition.originalKind, description: definition.description };
  return (
    <p class="description">
      {description || ' '}
      {kind !== '' && <span class="tag">{kind}</span>}
      {definition?.pending === true && <span class="tag warn">definition pending</span>}
    </p>
  );
}

function CopyLink() {
  const [said, setSaid] = useState('Copy link');
  return (
    <button
      type="button"
      class="linklike"
      onClick={() => {
        navigator.clipboard.writeText(location.href).then(
          () => {
            setSaid('Copied');
          },
          () => {
            setSaid('Copy the address bar');
          },
        );
      }}
      onBlur={() => {
        setSaid('Copy link');
      }}
    >
      {said}
    </button>
  );
}

function RawLink() {
  const { measure, by, series, active } = explore.value;
  const channelVersion = series[active]?.channelVersion;
  const known = config.value;
  const folder = channelVersion === undefined ? undefined : folders.value?.get(channelVersion);
  if (known === null || folder === undefined || measure === '') return null;
  const path = `${encodeURIComponent(folder)}/${encodeURIComponent(measure)}-by-${by}-date.json`;
  return (
    <a href={known.dataSet + path} rel="noopener">
      Raw file
    </a>
  );
}

function Dates() {
  const { by, from, to, zoomed, reference, series, active, measure } = explore.value;
  const loaded = shown.value.loaded;
  const dates = [...new Set(loaded.flatMap(({ dated }) => dated.map(([date]) => date)))].toSorted();
  const isChosen = (from ?? to) !== undefined;
  return (
    <section class="dates" aria-labelledby="dates-title">
      <header>
        <h2 id="dates-title">Dates</h2>
        <Choice<ByDate>
          label="Kind of date"
          value={by}
          values={[
            ['build', 'Build'],
            ['submission', 'Submission'],
          ]}
          onChoose={(value) => {
            const one = series[active];
            // Warms the file that comes next; its own view reports what is wrong with it.
            if (one !== undefined)
              void ask('sums', one.channelVersion, measure, value, one.filter).catch(() => undefined);
            change({ by: value });
          }}
        />
      </header>
      <div class="pair">
        <DateSelect
          label="From"
          none="first"
          value={from}
          dates={dates}
          onChoose={(value) => {
            change({ from: value });
          }}
        />
        <DateSelect
          label="To"
          none="last"
          value={to}
          dates={dates}
          onChoose={(value) => {
            change({ to: value });
          }}
        />
      </div>
      <DateSelect
        label="Reference date"
        none="none"
        value={reference}
        dates={dates}
        onChoose={(value) => {
          change({ reference: value });
        }}
      />
      <div class="row">
        <button
          type="button"
          disabled={!isChosen}
          onClick={() => {
            change({ from: undefined, to: undefined, zoomed: false });
          }}
        >
          All dates
        </button>
        <button
          type="button"
          disabled={!isChosen}
          aria-pressed={zoomed}
          onClick={() => {
            change({ zoomed: !zoomed });
          }}
        >
          Zoom
        </button>
      </div>
    </section>
  );
}

function Options() {
  const { versus, interpolated, threshold, reference, series } = explore.value;
  const canCompare = series.length > 1 || reference !== undefined;
  return (
    <section class="options" aria-labelledby="options-title">
      <h2 id="options-title">Show</h2>
      <Choice<Versus>
        label="Against the first series or the reference date"
        value={canCompare ? versus : 'none'}
        values={[
          ['none', 'Values'],
          ['difference', 'Difference'],
          ['ratio', 'Ratio'],
        ]}
        onChoose={(value) => {
          change({ versus: value });
        }}
      />
      {!canCompare && versus !== 'none' && <p class="note">Differences need a second series or a reference date.</p>}
      <label class="check">
        <input
          type="checkbox"
          checked={interpolated}
          onChange={() => {
            change({ interpolated: !interpolated });
          }}
        />
        <span>
          Percentiles between bucket bounds
          <small>
            {interpolated
              ? 'Interpolated inside the bucket, as the former dashboards did.'
              : 'The lower bound of the bucket; nothing is estimated.'}
          </small>
        </span>
      </label>
      <label>
        <span>Dim dates with fewer submissions than</span>
        <input
          type="number"
          min="0"
          step="10"
          value={threshold}
          onChange={(event) => {
            change({ threshold: Math.max(0, Math.trunc(Number(event.currentTarget.value)) || 0) }, true);
          }}
        />
      </label>
    </section>
  );
}
