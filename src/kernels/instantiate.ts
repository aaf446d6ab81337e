/** Loads the compiled kernels, which the installation makes of their sources (`scripts/kernels.mjs`). */
import { readFileSync } from 'node:fs';

/** What this uses of a global of Node.js whose types come with those of browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** What each kernel exports that sums rows (`merge/index.ts`); places are bytes of its memory. */
interface RowExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  powersAt(): number;
  prefixAt(): number;
  scratchAt(): number;
  outputAt(): number;
  outputBytes(): number;
  maxRow(): number;
  lineTotal(): bigint;
  slotTotal(): bigint;
  mixedTotal(): bigint;
  numberEndsAt(at: number): void;
  sortRows(): void;
  beginWriting(prefixBytes: number): void;
  writeLines(): number;
  writeSlots(): number;
  taken(): void;
  keepPath(length: number, units: number, odd: number): number;
  keepEnd(length: number, units: number, odd: number, buildDigits: number): number;
  pathTextAt(number: number): number;
  pathTextLength(number: number): number;
  tableBytes(): number;
  hasManyTexts(): number;
  forgetTexts(): void;
  endTextAt(number: number): number;
  endTextLength(number: number): number;
}

/** `merge/index.ts` */
export interface MergeExports extends RowExports {
  setUp(inputBytes: number, seed: number): number;
  setUpIndex(inputBytes: number, seed: number): number;
  index(at: number, end: number): number;
  indexLine(start: number, end: number): void;
  indexedLines(): number;
  indexedCount(): number;
  keyAt(number: number): number;
  keyLength(number: number): number;
  dropsAt(): number;
  beginRows(simple: number): void;
  addLine(at: number, end: number): void;
  addNumbers(path: number, length: number, end: number): void;
}

/** `aggregate/index.ts` */
interface AggregateExports extends RowExports {
  setUp(lineBytes: number, tableBytes: number, maxLength: number, seed: number): number;
  beginNoting(): void;
  readHistograms(at: number, channelVersion: number): number;
  noteHistogram(name: number, from: number, length: number): void;
  readSubmission(at: number, channelVersion: number): number;
  readInfo(at: number): number;
  valuesAt(): number;
  addHistograms(path: number, source: number, end: number): void;
  badNameCount(): number;
  badHistogramCount(): number;
  badListAt(): number;
  setBounds(from: number, count: number): void;
  beginSimple(): void;
  readSimple(at: number): number;
  noteSimple(at: number, length: number, value: number): number;
  addSimple(path: number, source: number, end: number, channelVersion: number): void;
  badSimpleNameCount(): number;
  badSimpleValueCount(): number;
  negativeSimpleCount(): number;
  collisionCount(): number;
  newSource(channelVersion: number, from: number, hasSubmissionDate: number): number;
  keepFilterPath(from: number, length: number, units: number, odd: number): number;
  keepName(at: number, length: number, channelVersion: number): number;
  names(): number;
  nameAt(number: number): number;
  nameLength(number: number): number;
  nameChannelVersion(number: number): number;
  nameSubmissions(number: number): number;
  nameFiles(number: number): number;
  nameFirstFile(number: number): number;
  nameLastFile(number: number): number;
  beginFile(number: number): void;
  bytesOfFile(): number;
  hasRows(number: number): number;
  isFull(tableBytes: number): number;
  packSums(): void;
  beginCopy(number: number): void;
  copyRows(to: number, end: number): number;
  beginFold(simple: number): void;
  beginBlock(): void;
  endInBlock(): number;
  goOnWithEnd(end: number): void;
  addPacked(at: number, end: number, bySubmissionDate: number): number;
  clear(): void;
}

/** `render/index.ts` */
export interface RenderExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  setUp(): void;
  powersAt(): number;
  maxRow(): number;
  numberEndsAt(at: number): void;
  fileAt(bytes: number): number;
  summarise(at: number, length: number, simple: number): number;
  outputAt(): number;
  outputBytes(): number;
  datesAt(): number;
  summedDates(): number;
}

/** `lzma/index.ts` */
interface LzmaExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  setUp(inputBytes: number): number;
  begin(
    ...stream: [lc: number, lp: number, pb: number, dictionary: number, size: bigint, code: number, input: number]
  ): number;
  decode(end: number, isLast: number): number;
  blockAt(): number;
  outputAt(): number;
  inputAt(): number;
  goOnFrom(input: number): void;
}

/** What they call: `merge/host.ts`, `aggregate/host.ts`. */
export interface Host {
  newPath(at: number, length: number): number;
  newEnd(at: number, length: number): number;
  readRest(at: number, where: number): void;
  numberAt(at: number): number;
  orderOfPaths(a: number, b: number): number;
  orderOfEnds(a: number, b: number): number;
  newKey(number: number): void;
  newName(at: number, length: number): number;
  keptEnd(at: number, length: number): number;
  logOf(value: number): number;
}

export interface Kernels {
  readonly merge: MergeExports;
  readonly aggregate: AggregateExports;
  readonly render: RenderExports;
  readonly lzma: LzmaExports;
}

type KernelName = keyof Kernels;
/** Those that sum rows. */
export type RowKernelName = 'merge' | 'aggregate';

const compiled = new Map<KernelName, object>();

/** @param host what the kernel will not call may be left out */
export function instantiate<Name extends KernelName>(name: Name, host: Partial<Host>): Kernels[Name] {
  let module = compiled.get(name);
  if (module === undefined) {
    module = new WebAssembly.Module(compiledKernel(name));
    compiled.set(name, module);
  }
  const { exports } = new WebAssembly.Instance(module, { host: { ...UNUSED, ...host } });
  return exports as Kernels[Name];
}

const UNUSED = Object.fromEntries(
  [
    ...['newPath', 'newEnd', 'readRest', 'numberAt', 'orderOfPaths', 'orderOfEnds', 'newKey', 'newName', 'keptEnd'],
    'logOf',
  ].map((name) => [
    name,
    (): never => {
      throw new Error(`a kernel called ${name}, which its host does not expect`);
    },
  ]),
);

function compiledKernel(name: KernelName): Buffer {
  try {
    return readFileSync(new URL(`../../dist/kernels/${name}.wasm`, import.meta.url));
  } catch (error) {
    throw new Error(
      `The kernel ${name} is not compiled (${(error as Error).message}); run "npm run kernels" in the checkout`,
      { cause: error },
    );
  }
}
