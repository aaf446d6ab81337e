/** A canvas as wide as its place, sharp on every screen, and a slider for those who use the keyboard. */
import type { Ref } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface CanvasChartProps {
  readonly height: number;
  readonly label: string;
  readonly draw: (context: CanvasRenderingContext2D, width: number, height: number) => void;
  readonly onPoint: (x: number, y: number, width: number, height: number) => void;
  readonly onLeave: () => void;
  readonly steps: Steps;
  readonly canvas?: Ref<HTMLCanvasElement>;
}

export interface Steps {
  /** Place on the horizontal axis, from 0; null for none. */
  readonly now: number | null;
  readonly last: number;
  /** What is there, for screen readers. */
  readonly text: string;
  readonly onMove: (place: number) => void;
  readonly onEnter?: () => void;
}

export function useWidth(): [Ref<HTMLDivElement>, number] {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const measure = (): void => {
      setWidth(Math.floor(element.clientWidth));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, []);
  return [place, width];
}

/** Arrow keys, Home, End and Enter. */
export function stepKeys({ now, last, onMove, onEnter }: Steps): (event: KeyboardEvent) => void {
  return (event) => {
    const next: Readonly<Record<string, number>> = {
      ArrowRight: Math.min(last, (now ?? -1) + 1),
      ArrowLeft: Math.max(0, (now ?? last + 1) - 1),
      Home: 0,
      End: last,
    };
    const place = next[event.key];
    if (place !== undefined) {
      event.preventDefault();
      onMove(place);
    } else if (event.key === 'Enter' && onEnter !== undefined) {
      event.preventDefault();
      onEnter();
    }
  };
}

export function sliderAttributes(label: string, { now, last, text }: Steps) {
  return {
    role: 'slider',
    tabIndex: 0,
    'aria-label': label,
    'aria-valuemin': 0,
    'aria-valuemax': Math.max(0, last),
    'aria-valuenow': now ?? 0,
    'aria-valuetext': text === '' ? 'use the arrow keys' : text,
  } as const;
}

export function CanvasChart({ height, label, draw, onPoint, onLeave, steps, canvas }: CanvasChartProps) {
  const [place, width] = useWidth();
  const own = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const element = own.current;
    const context = element?.getContext('2d');
    if (element === null || !context || width === 0) return;
    const scale = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
    if (element.width !== wide || element.height !== high) [element.width, element.height] = [wide, high];
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    draw(context, width, height);
  });
  useLayoutEffect(() => {
    if (typeof canvas === 'function') canvas(own.current);
    else if (canvas) canvas.current = own.current;
  }, [canvas]);
  return (
    <div
      ref={place}
      class="chart-space"
      style={{ height: `${height}px` }}
      {...sliderAttributes(label, steps)}
      onKeyDown={stepKeys(steps)}
      onPointerMove={(event) => {
        const { left, top } = event.currentTarget.getBoundingClientRect();
        onPoint(event.clientX - left, event.clientY - top, width, height);
      }}
      onPointerLeave={onLeave}
      onBlur={onLeave}
    >
      <canvas ref={own} style={{ width: '100%', height: `${height}px` }} aria-hidden="true" />
    </div>
  );
}
