/** The measures that sample submissions carry: how each is defined in Histograms.json and what values it takes. */
import { exponentialBounds, linearBounds } from './bounds.ts';

type MeasureKind = 'boolean' | 'flag' | 'enumerated' | 'linear' | 'exponential';

export interface Measure {
  readonly name: string;
  readonly kind: MeasureKind;
  /** The entry in Histograms.json; its numbers come as numbers, as text and as expressions, as in real files. */
  readonly definition: Readonly<Record<string, string | number>>;
  readonly bounds: readonly number[];
  /** Typical value: the median of exponential ones, the middle of linear ones, the share of ones of boolean ones. */
  readonly typical: number;
  /** Mean number of values in one session. */
  readonly hits: number;
}

/** Two states of the source tree; builds carry one of them. The newer one has another measure and a changed one. */
export type DefinitionSet = 'older' | 'newer';

type Numeric = string | number;

function booleanMeasure(name: string, description: string, share: number, hits = 1): Measure {
  return {
    name,
    kind: 'boolean',
    definition: { kind: 'boolean', description },
    bounds: [0, 1, 2],
    typical: share,
    hits,
  };
}

function flagMeasure(name: string, description: string, share: number): Measure {
  return { name, kind: 'flag', definition: { kind: 'flag', description }, bounds: [0, 1, 2], typical: share, hits: 1 };
}

function enumerated(
  name: string,
  description: string,
  values: number,
  hits: number,
  written: Numeric = values,
): Measure {
  return {
    name,
    kind: 'enumerated',
    definition: { kind: 'enumerated', n_values: written, description },
    bounds: linearBounds(1, values, values + 1),
    typical: values / 4,
    hits,
  };
}

interface Range {
  readonly low?: number;
  readonly high: number;
  readonly buckets: number;
  readonly typical: number;
  readonly hits: number;
  /** How Histograms.json writes them, when not as plain numbers. */
  readonly written?: Readonly<Record<string, Numeric>>;
}

function ranged(kind: 'linear' | 'exponential', name: string, description: string, range: Range): Measure {
  const { low = 1, high, buckets, typical, hits } = range;
  const numbers = { ...(range.low === undefined ? {} : { low }), high, n_buckets: buckets };
  return {
    name,
    kind,
    definition: { kind, ...numbers, ...range.written, description },
    bounds: (kind === 'linear' ? linearBounds : exponentialBounds)(low, high, buckets),
    typical,
    hits,
  };
}

const TEN_SECONDS = { high: '10 * 1000', n_buckets: '50' };

/** Special measures: known names, symbolic constants, numbers as text and as expressions. */
const SINGLE_MEASURES: readonly Measure[] = [
  ranged('exponential', 'GC_MS', 'Length of one collection of the JavaScript heap (ms)', {
    ...{ high: 10_000, buckets: 50, typical: 45, hits: 40 },
    written: TEN_SECONDS,
  }),
  ranged('exponential', 'CYCLE_COLLECTOR', 'Length of one run of the cycle collector (ms)', {
    ...{ high: 10_000, buckets: 50, typical: 12, hits: 30 },
    written: { high: '10000' },
  }),
  enumerated('GC_REASON_2', 'What made a heap collection start', 101, 40, 'JS::gcreason::NUM_TELEMETRY_REASONS'),
  enumerated(
    'STARTUP_MEASUREMENT_ERRORS',
    'Start events that came out of order',
    12,
    1,
    'mozilla::StartupTimeline::MAX_EVENT_ID',
  ),
  enumerated('SHUTDOWN_PHASE_REACHED', 'Last phase that the shutdown reached', 81, 1, '80 + 1'),
  flagMeasure('STARTUP_CRASH_DETECTED', 'The start before this one did not finish', 0.03),
  flagMeasure('A11Y_INSTANTIATED_FLAG', 'Accessibility support was started', 0.06),
  booleanMeasure('GC_INCREMENTAL_DISABLED', 'Collections in steps are switched off for good', 0.02),
  booleanMeasure('FX_TABBAR_NARROW', 'The tab bar had no room for all tabs', 0.3, 3),
  ranged('linear', 'GC_MMU_50', 'Smallest share of a 50 ms window left for the page (percent)', {
    ...{ high: 100, buckets: 20, typical: 70, hits: 35 },
    written: { high: '100', n_buckets: '20' },
  }),
  ranged('exponential', 'MEMORY_RESIDENT', 'Resident memory of the process (KiB)', {
    ...{ low: 32 * 1024, high: 1024 * 1024, buckets: 50, typical: 260_000, hits: 12 },
    written: { low: '32 * 1024', high: '1024 * 1024' },
  }),
  ranged('exponential', 'FX_TAB_SWITCH_MS', 'From the click on a tab to its picture (ms)', {
    ...{ high: 1_000, buckets: 20, typical: 60, hits: 25 },
  }),
];

const PARTS: readonly (readonly [prefix: string, what: string])[] = [
  ['HTTP_PAGE', 'page loads over HTTP'],
  ['HTTP_SUBITEM', 'loads of page parts over HTTP'],
  ['DNS_LOOKUP', 'name look-ups'],
  ['DISK_CACHE', 'the cache on disk'],
  ['MEMORY_CACHE', 'the cache in memory'],
  ['SPDY_STREAM', 'SPDY streams'],
  ['IMAGE_DECODE', 'decoding of images'],
  ['FONT_LIST', 'the list of fonts'],
  ['LAYOUT_REFLOW', 'layout of pages'],
  ['PAINT_WINDOW', 'painting of windows'],
  ['SESSION_STORE', 'the stored session'],
  ['ADDON_SCAN', 'the look for changed add-ons'],
  ['PLACES_QUERY', 'bookmark and history queries'],
  ['SQLITE_STATEMENT', 'database statements'],
  ['PLUGIN_HOST', 'plug-in processes'],
  ['SEARCH_BAR', 'the search field'],
  ['TLS_HANDSHAKE', 'TLS handshakes'],
  ['WORKER_THREAD', 'worker threads of pages'],
  ['MEDIA_BUFFER', 'buffers of sound and video'],
];

/** For each part of the browser the same six questions: duration, size, count, success, outcome, use. */
function measuresOf([prefix, what]: readonly [string, string], index: number): Measure[] {
  return [
    ranged('exponential', `${prefix}_MS`, `Time spent on ${what} (ms)`, {
      ...{ high: 10_000, buckets: 30, typical: 4 * (index + 2), hits: 14 },
      ...(index % 2 === 0 ? { written: { high: '10 * 1000', n_buckets: '30' } } : {}),
    }),
    ranged('exponential', `${prefix}_KB`, `Memory that ${what} took (KiB)`, {
      ...{ low: 4, high: 64 * 1024, buckets: 24, typical: 90 * (index + 1), hits: 6 },
      ...(index % 3 === 0 ? { written: { high: '64 * 1024' } } : {}),
    }),
    ranged('linear', `${prefix}_BUSY`, `Share of the session that ${what} took (percent)`, {
      ...{ high: 100, buckets: 25, typical: 5 + 4 * index, hits: 2 },
    }),
    booleanMeasure(`${prefix}_OK`, `Success of ${what}`, 0.97 - index * 0.01, 8),
    enumerated(`${prefix}_RESULT`, `Outcome of ${what}`, 8 + (index % 5), 5),
    flagMeasure(`${prefix}_USED`, `The session made use of ${what}`, 0.9 - index * 0.04),
  ];
}

const ONLY_NEWER = ranged('exponential', 'SCROLL_LATENCY_MS', 'From the wheel to the moved page (ms)', {
  ...{ high: 1_000, buckets: 20, typical: 16, hits: 20 },
});
const TAB_SWITCH_FINER = ranged('exponential', 'FX_TAB_SWITCH_MS', 'From the click on a tab to its picture (ms)', {
  ...{ high: 2_000, buckets: 30, typical: 60, hits: 25 },
});

const OLDER: readonly Measure[] = [...SINGLE_MEASURES, ...PARTS.flatMap(measuresOf)];
/**
 * The measures of a state of the source tree.
 * @param older how many of those that both states have; all without it
 */
export function measuresIn(set: DefinitionSet, older = OLDER.length): readonly Measure[] {
  const measures = OLDER.slice(0, older);
  if (set === 'older') return measures;
  return [
    ...measures.map((measure) => (measure.name === TAB_SWITCH_FINER.name ? TAB_SWITCH_FINER : measure)),
    ONLY_NEWER,
  ];
}

/** The text of Histograms.json for a state of the source tree. */
export function definitionsText(set: DefinitionSet): string {
  const entries = measuresIn(set).map((measure) => [measure.name, measure.definition]);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

/**
 * Browsers record a second histogram for the time before the first window is ready
 * (docs/formats/histogram-server.md 6.5).
 */
export function hasStartupVariant(name: string): boolean {
  return /SQLITE|HTTP|SPDY|CACHE|DNS/.test(name);
}
