/** Search for a measure by parts of its name and description, with keyboard, counts and the newest means. */
import UFuzzy from '@leeoniya/ufuzzy';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { MeasureEntry } from '../../client/index.ts';
import { Sparkline } from '../charts/sparkline.tsx';
import { short } from '../format.ts';

const SHOWN = 50;
/** The types of JSX want a datalist for this role, which could show no counts. */
const COMBOBOX = { role: 'combobox' } as object;
const fuzzy = new UFuzzy();

/** Names first, then descriptions; everything by submissions when nothing is asked. */
function search(measures: readonly MeasureEntry[], asked: string): readonly MeasureEntry[] {
  const bySize = measures.toSorted((a, b) => (b.submissions ?? 0) - (a.submissions ?? 0) || (a.name < b.name ? -1 : 1));
  const words = asked.trim();
  if (words === '') return bySize;
  const names = bySize.map(({ name }) => name.replaceAll('_', ' '));
  const texts = bySize.map(({ name, description }) => `${name} ${description}`);
  const [inNames, inTexts] = [found(names, words.replaceAll('_', ' ')), found(texts, words)];
  const places = new Set([...inNames, ...inTexts]);
  return [...places].flatMap((place) => bySize[place] ?? []);
}

function found(texts: string[], words: string): readonly number[] {
  const [indexes, info, order] = fuzzy.search(texts, words, 1, 1500);
  if (indexes === null) return [];
  return info === null ? indexes : order.map((place) => info.idx[place] ?? 0);
}

interface MeasureSearchProps {
  readonly measures: readonly MeasureEntry[];
  readonly measure: string;
  readonly onChoose: (measure: string) => void;
}

export function MeasureSearch({ measures, measure, onChoose }: MeasureSearchProps) {
  const [asked, setAsked] = useState<string | null>(null);
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const isOpen = asked !== null;
  const all = useMemo(() => (asked === null ? [] : search(measures, asked)), [measures, asked]);
  const list = all.slice(0, SHOWN);
  const close = (): void => {
    setAsked(null);
  };
  const choose = (entry: MeasureEntry | undefined): void => {
    if (entry === undefined) return;
    onChoose(entry.name);
    close();
  };
  const open = (text: string): void => {
    setAsked(text);
    setAt(0);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter') choose(list[at]);
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!isOpen) open('');
      else setAt(Math.max(0, Math.min(list.length - 1, at + (event.key === 'ArrowDown' ? 1 : -1))));
    }
  };
  return (
    <div
      class="search"
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) close();
      }}
    >
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="8.5" cy="8.5" r="5.5" />
        <path d="m12.5 12.5 5 5" />
      </svg>
      <label class="hidden" for="measure">
        Measure
      </label>
      <input
        id="measure"
        ref={input}
        type="text"
        {...COMBOBOX}
        autocomplete="off"
        spellcheck={false}
        aria-expanded={isOpen}
        aria-controls="measures"
        aria-autocomplete="list"
        aria-activedescendant={isOpen && list.length > 0 ? `measure-${at}` : undefined}
        placeholder={measures.length === 0 ? 'Search' : `Search ${measures.length} measures by name or description`}
        value={asked ?? measure}
        onFocus={(event) => {
          event.currentTarget.select();
          open('');
        }}
        onClick={() => {
          if (!isOpen) open('');
        }}
        onInput={(event) => {
          open(event.currentTarget.value);
        }}
        onKeyDown={onKeyDown}
      />
      {/* Always in the document, because the field names it. */}
      <ul id="measures" role="listbox" aria-label="Measures" hidden={!isOpen} class="found">
        {list.map((entry, place) => (
          <li
            key={entry.name}
            id={`measure-${place}`}
            role="option"
            aria-selected={place === at}
            ref={(element) => {
              if (place === at) element?.scrollIntoView({ block: 'nearest' });
            }}
            onPointerDown={(event) => {
              event.preventDefault();
            }}
            onClick={() => {
              choose(entry);
              input.current?.blur();
            }}
          >
            <span class="found-name">{entry.name}</span>
            <span class="found-text">{entry.description || 'no description'}</span>
            <Sparkline values={entry.spark} />
            <span class="found-count">
              {entry.submissions === null ? '' : short(entry.submissions)}
              <small>{entry.kind}</small>
            </span>
          </li>
        ))}
        {isOpen && all.length !== list.length && (
          <li class="found-more" role="option" aria-selected="false" aria-disabled="true">
            {all.length - list.length} more: type to narrow the list
          </li>
        )}
        {isOpen && all.length === 0 && (
          <li class="found-more" role="option" aria-selected="false" aria-disabled="true">
            {measures.length === 0 ? 'The list of measures is not there yet.' : `No measure matches “${asked}”.`}
          </li>
        )}
      </ul>
    </div>
  );
}
