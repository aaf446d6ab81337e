/** Names of the ledger's entries: a day (`YYYYMMDD`), a round of continuous aggregation, or the adopted history. */

const ROUND = 'round-';
const ADOPTED = 'adopted-';

/** The form of every entry's name. */
export const ENTRY_NAME = /^(?:\d{8}|(?:round|adopted)-[A-Za-z0-9:.-]+)$/;

/** Whether a contribution is a round of continuous aggregation: results of other launchers. */
export function isRound(name: string): boolean {
  return name.startsWith(ROUND);
}

/** Whether an entry is what the original had published: no day can be replaced in it. */
export function isAdopted(name: string): boolean {
  return name.startsWith(ADOPTED);
}

export function adoptedNameAt(instant: string): string {
  return ADOPTED + instant;
}

export function roundName(instant: string): string {
  return ROUND + instant;
}

/** The instant of a round's name. */
export function instantOfRound(name: string): string {
  return name.slice(ROUND.length);
}
