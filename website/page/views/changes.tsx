/** Changes: what moved, when, how much, how sure; newest first. */
import { useState } from 'preact/hooks';
import type { Change, ChangeSide } from '../../client/index.ts';
import { saveText } from '../export.ts';
import { csvOf, fileName, jsonOf, type Table } from '../tables.ts';
import { count, date as dateName, duration, percent } from '../format.ts';
import { changesAddress, exploreAddress, NO_FILTER, type ChangesState } from '../state.ts';
import { changesDocument, go, state } from '../store.ts';
import { BeforeAfter, Sides } from './change-sides.tsx';

const SHOWN = 40;
const DIRECTIONS: Readonly<Record<string, string>> = { up: '▲', down: '▼', shape: '◆' };

export function Changes() {
  const known = changesDocument.value;
  if (known === 'loading')
    return (
      <main id="main" class="changes" aria-busy="true">
        <h1>Changes</h1>
      </main>
    );
  if (known === 'unknown')
    return <Message title="Changes">The list of changes cannot be read now. Reload the page to try again.</Message>;
  if (known === null)
    return (
      <Message title="Changes">
        Nothing has been compared yet: the data set has no changes.json. It is written after the next publication.
      </Message>
    );
  return <ChangeList changes={known.changes} at={known.at} />;
}

function Message({ title, children }: { readonly title: string; readonly children: string }) {
  return (
    <main id="main" class="alone">
      <h1>{title}</h1>
      <p role="status">{children}</p>
    </main>
  );
}

function filtered(changes: readonly Change[], { text, kind, channelVersion, id }: ChangesState): readonly Change[] {
  if (id !== '') return changes.filter((one) => one.id === id);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return changes.filter((one) => {
    const all = `${one.measure} ${one.text} ${one.channelVersion} ${one.filter.join(' ')}`.toLowerCase();
    return (
      (kind === '' || one.kind === kind) &&
      (channelVersion === '' || one.channelVersion === channelVersion) &&
      words.every((word) => all.includes(word))
    );
  });
}

function ChangeList({ changes, at }: { readonly changes: readonly Change[]; readonly at: string | null }) {
  const chosen = state.value.changes;
  const found = filtered(changes, chosen);
  const [shown, setShown] = useState(SHOWN);
  const set = (part: Partial<ChangesState>): void => {
    go({ ...state.value, changes: { ...chosen, id: '', ...part } }, true);
  };
  const namesOf = (name: (one: Change) => string): string[] => [...new Set(changes.map(name))].toSorted();
  return (
    <main id="main" class="changes">
      <header class="page-head">
        <h1>Changes</h1>
        <p class="note">
          {count(changes.length)} in all{at !== null && `, compared ${duration(Date.now() - Date.parse(at))} ago`}. Each
          is more than chance explains.
        </p>
      </header>
      <div class="filters" role="search">
        <label>
          <span>Text</span>
          <input
            type="search"
            value={chosen.text}
            onInput={(event) => {
              set({ text: event.currentTarget.value });
            }}
          />
        </label>
        <ListSelect
          label="Kind"
          value={chosen.kind}
          values={namesOf(({ kind }) => kind)}
          onChoose={(kind) => {
            set({ kind });
          }}
        />
        <ListSelect
          label="Channel and version"
          value={chosen.channelVersion}
          values={namesOf(({ channelVersion }) => channelVersion)}
          onChoose={(channelVersion) => {
            set({ channelVersion });
          }}
        />
        <div class="saves">
          <button
            type="button"
            onClick={() => {
              saveText(fileName(['changes'], 'csv'), 'text/csv', csvOf(tableOf(found)));
            }}
          >
            CSV
          </button>
          <button
            type="button"
            onClick={() => {
              saveText(fileName(['changes'], 'json'), 'application/json', jsonOf(tableOf(found)));
            }}
          >
            JSON
          </button>
        </div>
      </div>
      <p class="note" role="status">
        {chosen.id !== '' ? (
          <>
            One change. <a href={changesAddress({})}>Show all {count(changes.length)}</a>
          </>
        ) : (
          nothingFound(found.length, changes.length)
        )}
      </p>
      <ol class="cards">
        {found.slice(0, shown).map((one) => (
          <ChangeCard key={one.id} change={one} />
        ))}
      </ol>
      {found.length === 0 && chosen.id !== '' && (
        <p class="nothing">This change is no longer in the list: {chosen.id}</p>
      )}
      {found.length > shown && (
        <button
          type="button"
          onClick={() => {
            setShown(shown + SHOWN);
          }}
        >
          Show more ({count(found.length - shown)} left)
        </button>
      )}
    </main>
  );
}

function nothingFound(found: number, all: number): string {
  if (all === 0) return 'The newest dates were compared with those before, and nothing has moved.';
  if (found === 0) return `None of the ${count(all)} changes has this text, kind, channel and version.`;
  return `${count(found)} shown`;
}

interface ListSelectProps {
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly onChoose: (value: string) => void;
}

function ListSelect({ label, value, values, onChoose }: ListSelectProps) {
  return (
    <label>
      <span>{label}</span>
      <select
        value={value}
        onChange={(event) => {
          onChoose(event.currentTarget.value);
        }}
      >
        <option value="">all</option>
        {(values.includes(value) || value === '' ? values : [value, ...values]).map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}

function ChangeCard({ change }: { readonly change: Change }) {
  const { measure, channelVersion, by, date, filter, kind, direction, relative, qValue, mostIn, text } = change;
  return (
    <li class={`card ${direction ?? ''}`}>
      <div class="card-text">
        <p class="card-head">
          <span class="tag">{kind}</span>
          <time>{dateName(date)}</time>
          <span class="note">
            {[channelVersion, ...filter, `by ${by} date`].filter((part) => part !== '').join(' · ')}
          </span>
        </p>
        <h2>
          <a href={changesAddress({ id: change.id })}>{measure || channelVersion}</a>
          {relative !== null && (
            <span class="size">
              <span aria-hidden="true">{DIRECTIONS[direction ?? ''] ?? ''}</span> {relative > 0 ? '+' : ''}
              {percent(relative)}
            </span>
          )}
        </h2>
        <p>{text}</p>
        <Sides change={change} />
        <p class="links">
          <a href={exploreLink(change)}>Explore</a>
          {mostIn.length > 0 && <a href={exploreLink({ ...change, filter: mostIn })}>Explore {mostIn.join(' · ')}</a>}
          {qValue !== null && (
            <span
              class="note"
              title={`The share of false alarms among all changes that are at least this sure; q ${qValue.toExponential(1)}`}
            >
              {falseAlarms(qValue)}
            </span>
          )}
        </p>
      </div>
      {measure !== '' && <BeforeAfter change={change} />}
    </li>
  );
}

/** Below one in a million nobody can tell the difference. */
const MOST_SURE = 1e-6;

function falseAlarms(qValue: number): string {
  if (qValue < MOST_SURE) return 'less than one in a million changes this sure is a false alarm';
  return `at most one in ${count(Math.floor(1 / qValue))} changes this sure is a false alarm`;
}

function exploreLink({ channelVersion, measure, by, filter, before, after }: Change): string {
  const options = NO_FILTER.map((_, level) => filter[level] ?? '');
  const side = ({ dates }: ChangeSide) => ({ channelVersion, filter: options, from: dates[0], to: dates.at(-1) });
  const series = [before, after].filter(({ dates }) => dates.length > 0).map(side);
  return exploreAddress({
    measure,
    by,
    series: series.length > 0 ? series : [{ channelVersion, filter: options }],
  });
}

function tableOf(changes: readonly Change[]): Table {
  return {
    columns: [
      'date',
      'channel and version',
      'measure',
      'by',
      'filter',
      'kind',
      'direction',
      'relative',
      'q',
      'median before',
      'median after',
      'text',
      'id',
    ],
    rows: changes.map((one) => [
      one.date,
      one.channelVersion,
      one.measure,
      one.by,
      one.filter.join('/'),
      one.kind,
      one.direction,
      one.relative,
      one.qValue,
      one.before.median,
      one.after.median,
      one.text,
      one.id,
    ]),
  };
}
