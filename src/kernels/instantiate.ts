/** Loads the compiled kernels, which the installation makes of their sources (`scripts/kernels.mjs`). */
import { readFileSync } from 'node:fs';

/** What this uses of a global of Node.js whose types come with those of browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** What `merge/index.ts` exports; places are bytes of its memory. */
export interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer };
  setUp(inputBytes: number, seed: number): number;
  setUpIndex(inputBytes: number, seed: number): number;
  index(at: number, end: number): number;
  indexLine(start: number, end: number): void;
  indexedLines(): number;
  indexedCount(): number;
  keyAt(number: number): number;
  keyLength(number: number): number;
  powersAt(): number;
  prefixAt(): number;
  scratchAt(): number;
  outputAt(): number;
  outputBytes(): number;
  dropsAt(): number;
  maxRow(): number;
  lineTotal(): bigint;
  slotTotal(): bigint;
  mixedTotal(): bigint;
  beginRows(simple: number): void;
  addLine(at: number, end: number): void;
  numberEndsAt(at: number): void;
  addNumbers(path: number, length: number, end: number): void;
  tableBytes(): number;
  sortRows(): void;
  beginWriting(prefixBytes: number): void;
  writeLines(): number;
  writeSlots(): number;
  taken(): void;
  hasManyTexts(): number;
  forgetTexts(): void;
  keepPath(length: number, units: number, odd: number): number;
  keepEnd(length: number, units: number, odd: number, buildDigits: number): number;
  pathTextAt(number: number): number;
  pathTextLength(number: number): number;
  endTextAt(number: number): number;
  endTextLength(number: number): number;
}

/** What it calls: `merge/host.ts`. */
export interface Host {
  newPath(at: number, length: number): number;
  newEnd(at: number, length: number): number;
  readRest(at: number, where: number): void;
  numberAt(at: number): number;
  orderOfPaths(a: number, b: number): number;
  orderOfEnds(a: number, b: number): number;
  newKey(number: number): void;
}

const FILE = new URL('../../dist/kernels/merge.wasm', import.meta.url);

let compiled: object | undefined;

export function instantiate(host: Host): Kernel {
  compiled ??= new WebAssembly.Module(compiledKernel());
  const { exports } = new WebAssembly.Instance(compiled, { host: { ...host } });
  return exports as Kernel;
}

function compiledKernel(): Buffer {
  try {
    return readFileSync(FILE);
  } catch (error) {
    throw new Error(
      `The kernel of the merge is not compiled (${(error as Error).message}); run "npm run kernels" in the checkout`,
      { cause: error },
    );
  }
}
