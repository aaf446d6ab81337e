/** The frame of a view: title, switches, picture, readout, table, and what it can be saved as. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { savePicture, saveText } from '../export.ts';
import { csvOf, fileName, jsonOf, type Table } from '../tables.ts';
import { number } from '../format.ts';
import { colourOf, dashOf } from '../theme.ts';

interface PanelProps {
  readonly id: string;
  readonly title: string;
  readonly switches?: ComponentChildren;
  readonly children: ComponentChildren;
  /** Made when it is opened or saved. */
  readonly table: () => Table;
  readonly canvases: () => readonly HTMLCanvasElement[];
  /** Parts of the file names. */
  readonly named: readonly string[];
  readonly note?: string;
}

const SHOWN_ROWS = 400;

export function Panel({ id, title, switches, children, table, canvases, named, note }: PanelProps) {
  const [isOpen, setOpen] = useState(false);
  const name = (ending: string): string => fileName([...named, id], ending);
  return (
    <section class={`panel panel-${id}`} aria-labelledby={`${id}-title`}>
      <header class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        <div class="switches">{switches}</div>
      </header>
      {children}
      <footer class="panel-foot">
        <details
          onToggle={(event) => {
            setOpen(event.currentTarget.open);
          }}
        >
          <summary>Table</summary>
          {isOpen && <DataTable caption={title} table={table()} />}
        </details>
        {note !== undefined && <p class="note">{note}</p>}
        <div class="saves" role="group" aria-label={`Save the ${title.toLowerCase()}`}>
          <button
            type="button"
            onClick={() => {
              saveText(name('csv'), 'text/csv', csvOf(table()));
            }}
          >
            CSV
          </button>
          <button
            type="button"
            onClick={() => {
              saveText(name('json'), 'application/json', jsonOf(table()));
            }}
          >
            JSON
          </button>
          <button
            type="button"
            onClick={() => {
              savePicture(name('png'), named.join(' · '), canvases());
            }}
          >
            PNG
          </button>
        </div>
      </footer>
    </section>
  );
}

function DataTable({ caption, table: { columns, rows } }: { readonly caption: string; readonly table: Table }) {
  return (
    <div class="table-space" tabIndex={0} role="region" aria-label={`Table: ${caption}`}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, SHOWN_ROWS).map((row, place) => (
            <tr key={place}>
              {row.map((cell, column) =>
                column === 0 ? (
                  <th scope="row" key={column}>
                    {cell}
                  </th>
                ) : (
                  <td key={column}>{typeof cell === 'number' ? number(cell) : cell}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > SHOWN_ROWS && (
        <p class="note">
          The first {SHOWN_ROWS} of {rows.length} rows; CSV and JSON have all of them.
        </p>
      )}
    </div>
  );
}

/** Colour and dash of a series, as its line has them. */
export function Swatch({ index }: { readonly index: number }) {
  return (
    <svg class="swatch" viewBox="0 0 26 10" aria-hidden="true">
      <line
        x1="1"
        y1="5"
        x2="25"
        y2="5"
        stroke={colourOf(index)}
        stroke-width="3"
        stroke-dasharray={dashOf(index).join(' ')}
      />
    </svg>
  );
}

export interface ReadoutEntry {
  readonly index: number;
  readonly name: string;
  readonly text: string;
}

/** What is under the pointer; also the legend. As high with values as without. */
export function Readout({ head, entries }: { readonly head: string; readonly entries: readonly ReadoutEntry[] }) {
  return (
    <div class="readout">
      <span class="readout-head">{head}</span>
      {entries.map(({ index, name, text }, place) => (
        <span class="readout-entry" key={place}>
          <Swatch index={index} />
          <span class="readout-name">{name}</span>
          <b>{text}</b>
        </span>
      ))}
    </div>
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly values: readonly (readonly [Value, string])[];
  readonly onChoose: (value: Value) => void;
}

/** A few choices side by side. */
export function Choice<Value extends string>({ label, value, values, onChoose }: ChoiceProps<Value>) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {values.map(([one, name]) => (
        <button
          type="button"
          key={one}
          aria-pressed={one === value}
          onClick={() => {
            onChoose(one);
          }}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
