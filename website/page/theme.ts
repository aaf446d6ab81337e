/** Light or dark, and the colours that charts are drawn with. */
import { computed, effect, signal } from '@preact/signals';

type Choice = 'system' | 'light' | 'dark';
const KEY = 'telemetry-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

const choice = signal<Choice>(readChoice());
const systemIsDark = signal(dark.matches);
/** On paper everything is light. */
const prints = signal(false);

export const theme = computed<'light' | 'dark'>(() => {
  if (prints.value) return 'light';
  if (choice.value !== 'system') return choice.value;
  return systemIsDark.value ? 'dark' : 'light';
});

export interface Palette {
  readonly paper: string;
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  readonly series: readonly string[];
  /** From nothing to most. */
  readonly heat: readonly (readonly [number, number, number])[];
}

/**
 * Each colour has a contrast of at least 3:1 to the paper, and differs from its neighbours in lightness too, so that
 * colour-blind readers tell them apart; dashes and labels say it again.
 */
const PALETTES: Readonly<Record<'light' | 'dark', Palette>> = {
  light: {
    paper: '#ffffff',
    ink: '#1b1f27',
    muted: '#59616e',
    line: '#e4e2dd',
    accent: '#0b5cad',
    series: ['#0b5cad', '#c2410c', '#00785a', '#a3357f', '#7a5b00', '#4b45c6', '#59616e', '#8f1d2c'],
    heat: [
      [255, 255, 255],
      [214, 229, 244],
      [133, 180, 221],
      [46, 115, 182],
      [8, 48, 107],
    ],
  },
  dark: {
    paper: '#1a1e26',
    ink: '#e9ebef',
    muted: '#a6afbd',
    line: '#303743',
    accent: '#79b8ff',
    series: ['#79b8ff', '#ffa066', '#4fd1a5', '#f59bd6', '#e0c35a', '#aaa7ff', '#bcc5d1', '#ff8f8f'],
    heat: [
      [26, 30, 38],
      [30, 58, 92],
      [45, 104, 163],
      [109, 174, 236],
      [225, 242, 255],
    ],
  },
};

export const palette = computed(() => PALETTES[theme.value]);

/** By place of the series; the first one is a whole line. */
const DASHES: readonly (readonly number[])[] = [
  [],
  [7, 4],
  [2, 3],
  [10, 3, 2, 3],
  [4, 2],
  [12, 5],
  [1, 2],
  [8, 2, 2, 2],
];

export function colourOf(index: number): string {
  const { series, ink } = palette.value;
  return series[index % series.length] ?? ink;
}

export function dashOf(index: number): number[] {
  return [...(DASHES[index % DASHES.length] ?? [])];
}

/** Colour of a share of the largest density, 0 to 1. */
export function heatColour(share: number): readonly [number, number, number] {
  const stops = palette.value.heat;
  const place = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const [low, high] = [Math.floor(place), Math.ceil(place)];
  const part = place - low;
  const mixed = [0, 1, 2].map((channel) => {
    const from = stops[low]?.[channel] ?? 0;
    return Math.round(from + ((stops[high]?.[channel] ?? 0) - from) * part);
  });
  return [mixed[0] ?? 0, mixed[1] ?? 0, mixed[2] ?? 0];
}

function readChoice(): Choice {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}

export function choose(next: Choice): void {
  choice.value = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

export function followTheme(): void {
  dark.addEventListener('change', ({ matches }) => (systemIsDark.value = matches));
  window.addEventListener('beforeprint', () => (prints.value = true));
  window.addEventListener('afterprint', () => (prints.value = false));
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
  });
}
