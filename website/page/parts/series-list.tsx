/** Which data is compared: up to eight series, each a channel and version, a filter, and dates of its own if wanted. */
import { FILTER_LEVELS, type Option } from '../../client/index.ts';
import { count, date as dateName, seriesName } from '../format.ts';
import { MAX_SERIES, NO_FILTER, type Series } from '../state.ts';
import { change, changeSeries, channelVersionsInOrder, explore, folders, options, shown } from '../store.ts';
import { Swatch } from './panel.tsx';

const LEVEL_NAMES: Readonly<Record<(typeof FILTER_LEVELS)[number], string>> = {
  reason: 'Reason',
  appName: 'Application',
  OS: 'System',
  osVersion: 'System version',
  arch: 'Architecture',
};

export function SeriesList() {
  const { series, active } = explore.value;
  return (
    <section class="series-list" aria-labelledby="series-title">
      <header>
        <h2 id="series-title">Compare</h2>
        <span class="note">
          {series.length} of {MAX_SERIES}
        </span>
      </header>
      <ol>
        {series.map((one, index) => (
          <SeriesCard key={index} series={one} index={index} isActive={index === active} />
        ))}
      </ol>
      <AddSeries />
    </section>
  );
}

function SeriesCard({
  series,
  index,
  isActive,
}: {
  readonly series: Series;
  readonly index: number;
  readonly isActive: boolean;
}) {
  const { series: all } = explore.value;
  const why = shown.value.nothing.get(index);
  const remove = (): void => {
    const left = all.filter((_, place) => place !== index);
    change({ series: left, active: Math.max(0, Math.min(explore.value.active, left.length - 1)) });
  };
  return (
    <li class={isActive ? 'series active' : 'series'}>
      <div class="series-head">
        <button
          type="button"
          class="series-name"
          aria-expanded={isActive}
          onClick={() => {
            change({ active: index }, true);
          }}
        >
          <Swatch index={index} />
          <span>{seriesName(series)}</span>
        </button>
        {all.length > 1 && (
          <button type="button" class="quiet" aria-label={`Remove ${seriesName(series)}`} onClick={remove}>
            ×
          </button>
        )}
      </div>
      {why !== undefined && <p class="why">{why}</p>}
      {isActive && <SeriesEditor series={series} index={index} />}
    </li>
  );
}

function SeriesEditor({ series, index }: { readonly series: Series; readonly index: number }) {
  const known = folders.value === null ? [] : channelVersionsInOrder(folders.value);
  const channels = Map.groupBy(known, (name) => name.slice(0, name.indexOf('/')));
  const isKnown = known.includes(series.channelVersion);
  return (
    <div class="series-editor">
      <label>
        <span>Channel and version</span>
        <select
          value={series.channelVersion}
          onChange={(event) => {
            changeSeries(index, { channelVersion: event.currentTarget.value });
          }}
        >
          {!isKnown && (
            <option value={series.channelVersion}>
              {series.channelVersion}
              {folders.value === null ? '' : ' (not published)'}
            </option>
          )}
          {[...channels].map(([channel, names]) => (
            <optgroup key={channel} label={channel}>
              {names.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      {FILTER_LEVELS.map((level, place) => (
        <FilterSelect
          key={level}
          name={LEVEL_NAMES[level]}
          chosen={series.filter[place] ?? ''}
          all={options.value[place] ?? []}
          onChoose={(option) => {
            changeSeries(index, { filter: series.filter.map((one, at) => (at === place ? option : one)) });
          }}
        />
      ))}
      <OwnDates series={series} index={index} />
    </div>
  );
}

interface FilterSelectProps {
  readonly name: string;
  readonly chosen: string;
  readonly all: readonly Option[];
  readonly onChoose: (option: string) => void;
}

/** Values are places in the list, since a name may be anything. */
function FilterSelect({ name, chosen, all, onChoose }: FilterSelectProps) {
  const total = all.reduce((sum, { submissions }) => sum + submissions, 0);
  const place = all.findIndex((option) => option.name === chosen);
  return (
    <label class={chosen === '' ? undefined : 'chosen'}>
      <span>{name}</span>
      <select
        value={chosen === '' ? '' : String(place)}
        onChange={(event) => {
          const { value } = event.currentTarget;
          onChoose(value === '' ? '' : (all[Number(value)]?.name ?? chosen));
        }}
      >
        <option value="">all{all.length === 0 ? '' : ` (${count(total)})`}</option>
        {chosen !== '' && place < 0 && <option value="-1">{chosen} (0)</option>}
        {all.map((option, at) => (
          <option key={option.name} value={String(at)}>
            {option.name} ({count(option.submissions)})
          </option>
        ))}
      </select>
    </label>
  );
}

function datesOf(index: number): readonly string[] {
  return shown.value.loaded.find((one) => one.index === index)?.dated.map(([date]) => date) ?? [];
}

interface DateSelectProps {
  readonly label: string;
  readonly none: string;
  readonly value: string | undefined;
  readonly dates: readonly string[];
  readonly onChoose: (date: string | undefined) => void;
}

export function DateSelect({ label, none, value, dates, onChoose }: DateSelectProps) {
  const all = value === undefined || dates.includes(value) ? dates : [value, ...dates];
  return (
    <label class={value === undefined ? undefined : 'chosen'}>
      <span>{label}</span>
      <select
        value={value ?? ''}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          onChoose(chosen === '' ? undefined : chosen);
        }}
      >
        <option value="">{none}</option>
        {all.toReversed().map((date) => (
          <option key={date} value={date}>
            {dateName(date)}
          </option>
        ))}
      </select>
    </label>
  );
}

function OwnDates({ series, index }: { readonly series: Series; readonly index: number }) {
  const dates = datesOf(index);
  return (
    <details class="own-dates" open={(series.from ?? series.to) !== undefined}>
      <summary>Dates of this series only</summary>
      <div class="pair">
        <DateSelect
          label="From"
          none="as above"
          value={series.from}
          dates={dates}
          onChoose={(from) => {
            changeSeries(index, { from });
          }}
        />
        <DateSelect
          label="To"
          none="as above"
          value={series.to}
          dates={dates}
          onChoose={(to) => {
            changeSeries(index, { to });
          }}
        />
      </div>
    </details>
  );
}

function AddSeries() {
  const { series, active } = explore.value;
  const current = series[active];
  if (current === undefined) return null;
  const add = (more: readonly Series[]): void => {
    const all = [...series, ...more].slice(0, MAX_SERIES);
    change({ series: all, active: series.length < all.length ? series.length : active });
  };
  const known = folders.value === null ? [] : channelVersionsInOrder(folders.value);
  const channel = current.channelVersion.slice(0, current.channelVersion.indexOf('/') + 1);
  const unused = (names: readonly string[]): readonly Series[] =>
    names
      .filter(
        (name) => !series.some((one) => one.channelVersion === name && one.filter.join() === current.filter.join()),
      )
      .map((channelVersion) => ({ channelVersion, filter: current.filter }));
  const versions = unused(known.filter((name) => name.startsWith(channel)));
  const channels = unused(newestOfEach(known));
  const systems = (options.value[2] ?? []).filter(
    ({ name, submissions }) => name !== current.filter[2] && submissions > 0,
  );
  const isFull = series.length >= MAX_SERIES;
  return (
    <div class="add" role="group" aria-label="Add to the comparison">
      <button
        type="button"
        disabled={isFull}
        onClick={() => {
          add(versions.slice(0, 1).length > 0 ? versions.slice(0, 1) : [current]);
        }}
      >
        + Add
      </button>
      <button
        type="button"
        disabled={isFull || versions.length === 0}
        onClick={() => {
          add(versions);
        }}
      >
        + versions
      </button>
      <button
        type="button"
        disabled={isFull || channels.length === 0}
        onClick={() => {
          add(channels);
        }}
      >
        + channels
      </button>
      <button
        type="button"
        disabled={isFull || systems.length === 0}
        onClick={() => {
          add(
            systems.map(({ name }) => ({
              ...current,
              filter: NO_FILTER.map((_, level) =>
                level === 2 ? name : level === 3 ? '' : (current.filter[level] ?? ''),
              ),
            })),
          );
        }}
      >
        + systems
      </button>
    </div>
  );
}

function newestOfEach(known: readonly string[]): string[] {
  return [...Map.groupBy(known, (name) => name.slice(0, name.indexOf('/'))).values()].flatMap(([first]) => first ?? []);
}
