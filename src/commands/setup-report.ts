/** How `setup` shows its items: a table on a terminal, a line each elsewhere, one JSON document with `--json`. */
import { isGood, type ItemOutcome, type OutcomeState } from '../setup/item.ts';
import { print, showStatus, table } from './terminal.ts';

export interface SetupReport {
  readonly begin: (name: string) => void;
  readonly end: (outcome: ItemOutcome) => void;
  readonly verdict: (outcomes: readonly ItemOutcome[]) => void;
}

export function setupReport(json: boolean): SetupReport {
  if (json) {
    return {
      begin: () => undefined,
      end: () => undefined,
      verdict: (items) => {
        print(JSON.stringify({ complete: items.every(isGood), counts: countStates(items), items }));
      },
    };
  }
  const isTerminal = process.stdout.isTTY;
  return {
    begin: (name) => {
      if (isTerminal) showStatus(`looking at ${name} …`);
    },
    end: (outcome) => {
      if (!isTerminal) print(lineOf(outcome));
    },
    verdict: (outcomes) => {
      if (isTerminal) print(`${setupTable(outcomes, process.stdout.columns)}\n`);
      print(verdictOf(outcomes));
    },
  };
}

const STATE_WIDTH = 'created'.length;

function lineOf({ name, state, facts }: ItemOutcome): string {
  return `${state.padEnd(STATE_WIDTH)} ${name}: ${facts.join('; ')}`;
}

const MIN_FACTS_WIDTH = 30;
const GAPS = 4;

/** Rows of item, state and facts; a fact that is too long for its column continues on the next line. */
export function setupTable(outcomes: readonly ItemOutcome[], columns: number): string {
  const nameWidth = Math.max(...outcomes.map(({ name }) => name.length));
  const factsWidth = Math.max(MIN_FACTS_WIDTH, columns - nameWidth - STATE_WIDTH - GAPS);
  const rows = outcomes.flatMap(({ name, state, facts }) => {
    const lines = facts.flatMap((fact) => wrapped(fact, factsWidth));
    return [[name, state, lines[0] ?? ''], ...lines.slice(1).map((line) => ['', '', line])];
  });
  return table([['ITEM', 'STATE', 'FACTS'], ...rows]);
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= width) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The last line: whether all is well, and what to do if not. */
export function verdictOf(outcomes: readonly ItemOutcome[]): string {
  const counts = countStates(outcomes);
  const texts = Object.entries(counts).map(
    ([state, count]) => `${count} ${state === 'warning' && count > 1 ? 'warnings' : state}`,
  );
  const bad = outcomes.filter((outcome) => !isGood(outcome));
  if (bad.length === 0) return `The deployment is complete: ${texts.join(', ')}.`;
  const next = [
    ...((counts.differs ?? 0) > 0 ? ['"setup --fix" changes what differs, where it can be changed'] : []),
    'run setup again once the rest is corrected',
  ];
  return `The deployment is not complete, ${bad.length} of ${outcomes.length} items need attention (${texts.join(', ')}): ${next.join('; ')}.`;
}

function countStates(outcomes: readonly ItemOutcome[]): Partial<Record<OutcomeState, number>> {
  const counts: Partial<Record<OutcomeState, number>> = {};
  for (const { state } of outcomes) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
