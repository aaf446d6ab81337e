/** The frame of all views. */
import { useEffect } from 'preact/hooks';
import { writeAddress, type ViewName } from './state.ts';
import { fault, start, state } from './store.ts';
import { choose, theme } from './theme.ts';
import { Changes } from './views/changes.tsx';
import { Explore } from './views/explore.tsx';
import { Status } from './views/status.tsx';

const VIEWS: readonly (readonly [ViewName, string])[] = [
  ['explore', 'Explore'],
  ['changes', 'Changes'],
  ['status', 'Status'],
];

export function App() {
  const { view, explore } = state.value;
  useEffect(() => {
    const name = VIEWS.find(([one]) => one === view)?.[1] ?? '';
    document.title = [view === 'explore' ? explore.measure : '', name, 'Telemetry'].filter(Boolean).join(' · ');
  }, [view, explore.measure]);
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          const main = document.querySelector('main');
          main?.setAttribute('tabindex', '-1');
          main?.focus();
        }}
      >
        Skip to the content
      </a>
      <header class="top">
        <p class="brand">
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M2 20h3v-6h3v6h3V8h3v12h3V4h3v16h2" />
          </svg>
          Telemetry
        </p>
        <nav aria-label="Views">
          {VIEWS.map(([name, title]) => (
            <a
              key={name}
              href={name === 'explore' ? writeAddress({ ...state.value, view: name }) : `#/${name}`}
              aria-current={name === view ? 'page' : undefined}
            >
              {title}
            </a>
          ))}
        </nav>
        <ThemeSwitch />
      </header>
      <Content view={view} />
    </>
  );
}

function Content({ view }: { readonly view: ViewName }) {
  if (fault.value !== null)
    return (
      <main id="main" class="alone" tabIndex={-1}>
        <h1>The data set cannot be read</h1>
        <p role="alert">{fault.value}</p>
        <button
          type="button"
          onClick={() => {
            void start();
          }}
        >
          Try again
        </button>
      </main>
    );
  if (view === 'changes') return <Changes />;
  if (view === 'status') return <Status />;
  return <Explore />;
}

function ThemeSwitch() {
  const next = theme.value === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      class="theme"
      aria-label={`Change to ${next} colours`}
      onClick={() => {
        choose(next);
      }}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="12" cy="12" r="8.5" />
        <path d="M12 3.5a8.5 8.5 0 0 1 0 17z" class="half" />
      </svg>
    </button>
  );
}
