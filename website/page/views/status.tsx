/** Status: whether the data set is alive, and what is in it. */
import { useEffect, useState } from 'preact/hooks';
import { folderTime, type Status as StatusDocument, type StatusEntry } from '../../client/index.ts';
import { count, date as dateName, duration, time } from '../format.ts';
import { exploreAddress, NO_FILTER } from '../state.ts';
import { channelVersionsInOrder, config, statusDocument } from '../store.ts';
import { reasonsText } from './reason-words.ts';
import { calendarOf, DUE_MS, freshness, type Verdict } from './freshness.ts';

const VERDICTS: Readonly<Record<Verdict, string>> = {
  good: 'The data set is fresh',
  late: 'The data set is late',
  stale: 'The data set is stale: its writer has stopped',
  unknown: 'The age of the data set is unknown',
};

/** The present, again every half minute. */
function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, 30_000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return now;
}

export function Status() {
  const status = statusDocument.value;
  const now = useNow();
  if (status === 'loading')
    return (
      <main id="main" class="status" aria-busy="true">
        <h1>Status</h1>
      </main>
    );
  const { verdict, age } = freshness(status, now);
  return (
    <main id="main" class="status">
      <header class={`verdict ${verdict}`}>
        <span class="lamp" aria-hidden="true" />
        <div role="status">
          <h1>{VERDICTS[verdict]}</h1>
          <p>
            {age === null
              ? 'status.json is not there or cannot be read; it is written with every publication.'
              : `Last publication ${duration(age)} ago; the next one is due ${dueText(age)}.`}
          </p>
        </div>
      </header>
      {status !== null && <Content status={status} now={now} />}
    </main>
  );
}

function dueText(age: number): string {
  const left = DUE_MS - age;
  return left > 0 ? `within ${duration(left)}` : `since ${duration(-left)}`;
}

function Content({ status, now }: { readonly status: StatusDocument; readonly now: number }) {
  return (
    <>
      <Facts status={status} />
      <Calendar status={status} />
      <ChannelVersions status={status} now={now} />
      <Runs entries={status.entries} />
    </>
  );
}

function Facts({ status }: { readonly status: StatusDocument }) {
  const days = status.entries.filter(({ name }) => /^\d{8}$/.test(name));
  const newest = days.at(-1)?.name;
  const records = status.entries.reduce((total, entry) => total + (entry.records ?? 0), 0);
  const pending = [...status.definitionsPending.values()].reduce((total, value) => total + value, 0);
  const facts: readonly (readonly [string, string, string])[] = [
    ['Newest day', newest === undefined ? 'none' : dateName(newest), `${count(days.length)} days in all`],
    ['Submissions', count(records), 'counted in the published days'],
    ['Files missing', count(status.missing.files), `${count(status.missing.tasks)} tasks failed or are missing`],
    ['Definitions pending', count(pending), pending === 0 ? 'all measures have theirs' : 'shown by bucket numbers'],
    ['Commit', status.seq === null ? '–' : `#${status.seq}`, status.at === null ? '' : time(Date.parse(status.at))],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value, more]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value} <small>{more}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const DAY_STATES = { whole: 'published whole', partial: 'published with gaps', none: 'not in the data set' } as const;

function Calendar({ status }: { readonly status: StatusDocument }) {
  const days = calendarOf(status);
  if (days.length === 0) return <p class="nothing">No day has been published yet.</p>;
  return (
    <section class="panel" aria-labelledby="calendar-title">
      <header class="panel-head">
        <h2 id="calendar-title">30 days up to the newest, {dateName(days.at(-1)?.date ?? '')}</h2>
        <p class="keys note">
          {Object.entries(DAY_STATES).map(([name, text]) => (
            <span key={name}>
              <i class={`day ${name}`} /> {text}
            </span>
          ))}
        </p>
      </header>
      <ol class="calendar">
        {days.map(({ date, state }, place) => (
          <li key={date} class={`day ${state}`} title={`${dateName(date)}: ${DAY_STATES[state]}`}>
            <span>{place === 0 || date.endsWith('01') ? dateName(date).slice(0, -5) : Number(date.slice(6))}</span>
            <span class="hidden">
              {dateName(date)}: {DAY_STATES[state]}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function ChannelVersions({ status, now }: { readonly status: StatusDocument; readonly now: number }) {
  return (
    <section class="panel" aria-labelledby="versions-title">
      <header class="panel-head">
        <h2 id="versions-title">Channels and versions</h2>
      </header>
      <div class="table-space" tabIndex={0} role="region" aria-label="Table of channels and versions">
        <table>
          <thead>
            <tr>
              <th scope="col">Channel and version</th>
              <th scope="col">Last changed</th>
              <th scope="col">Age</th>
              <th scope="col">Definitions pending</th>
            </tr>
          </thead>
          <tbody>
            {channelVersionsInOrder(status.channelVersions).map((name) => {
              const at = folderTime(status.channelVersions.get(name) ?? '');
              return (
                <tr key={name}>
                  <th scope="row">
                    <a href={exploreAddress({ series: [{ channelVersion: name, filter: NO_FILTER }] })}>{name}</a>
                  </th>
                  <td>{at === null ? '–' : time(at)}</td>
                  <td>{at === null ? '–' : duration(Math.max(0, now - at.getTime()))}</td>
                  <td>{count(status.definitionsPending.get(name) ?? 0)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const SHOWN_RUNS = 40;

function Runs({ entries }: { readonly entries: readonly StatusEntry[] }) {
  return (
    <section class="panel" aria-labelledby="runs-title">
      <header class="panel-head">
        <h2 id="runs-title">Published runs</h2>
      </header>
      <div class="table-space" tabIndex={0} role="region" aria-label="Table of published runs">
        <table>
          <thead>
            <tr>
              <th scope="col">Day or round</th>
              <th scope="col">Submissions</th>
              <th scope="col">Tasks done</th>
              <th scope="col">Failed or missing</th>
              <th scope="col">Files read</th>
              <th scope="col">Files missing</th>
              <th scope="col">Run</th>
            </tr>
          </thead>
          <tbody>
            {entries
              .toReversed()
              .slice(0, SHOWN_RUNS)
              .map((entry) => (
                <tr key={entry.name}>
                  <th scope="row">{/^\d{8}$/.test(entry.name) ? dateName(entry.name) : entry.name}</th>
                  <td>{entry.records === null ? 'not recorded' : count(entry.records)}</td>
                  <td>
                    {count(entry.done)} of {count(entry.planned)}
                  </td>
                  <td class={entry.failed + entry.missing > 0 ? 'unsure' : undefined}>
                    {count(entry.failed + entry.missing)}
                  </td>
                  <td>{count(entry.files.processed)}</td>
                  <td class={entry.files.missing > 0 ? 'unsure' : undefined}>
                    {count(entry.files.missing)}{' '}
                    {entry.missingReasons.length > 0 && <small>{reasonsText(entry.missingReasons)}</small>}
                  </td>
                  <td>
                    <RunLink entry={entry} />
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
      {entries.length > SHOWN_RUNS && (
        <p class="note">
          The newest {SHOWN_RUNS} of {entries.length}.
        </p>
      )}
    </section>
  );
}

/** The run's own id is an attribute of its workflow, whoever started that one and under which id. */
function RunLink({ entry: { runId } }: { readonly entry: StatusEntry }) {
  const { webUi, namespace } = config.value ?? { webUi: null, namespace: '' };
  const short = runId.slice(-8) || '–';
  if (webUi === null || runId === '') return <code>{short}</code>;
  const query = encodeURIComponent(`AnalysisRun="${runId}"`);
  return (
    <a href={`${webUi}/namespaces/${encodeURIComponent(namespace)}/workflows?query=${query}`} rel="noopener">
      {short}
    </a>
  );
}
