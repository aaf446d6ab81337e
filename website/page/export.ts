/** What is shown, as files. */
import { palette } from './theme.ts';

export function saveText(name: string, type: string, text: string): void {
  save(name, new Blob([text], { type }));
}

/** Canvases under each other, with a title, on the colour of the page. */
export function savePicture(name: string, title: string, canvases: readonly HTMLCanvasElement[]): void {
  const scale = window.devicePixelRatio || 1;
  const head = 34 * scale;
  const whole = document.createElement('canvas');
  whole.width = Math.max(1, ...canvases.map(({ width }) => width)) + 24 * scale;
  whole.height = head + canvases.reduce((height, canvas) => height + canvas.height, 0) + 10 * scale;
  const context = whole.getContext('2d');
  if (context === null) return;
  context.fillStyle = palette.value.paper;
  context.fillRect(0, 0, whole.width, whole.height);
  context.fillStyle = palette.value.ink;
  context.font = `600 ${14 * scale}px ui-sans-serif, system-ui, sans-serif`;
  context.fillText(title, 12 * scale, 22 * scale);
  let top = head;
  for (const canvas of canvases) {
    context.drawImage(canvas, 12 * scale, top);
    top += canvas.height;
  }
  whole.toBlob((blob) => {
    if (blob !== null) save(name, blob);
  }, 'image/png');
}

function save(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(address);
  }, 60_000);
}
