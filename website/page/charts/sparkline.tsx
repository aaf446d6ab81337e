/** The newest means of a measure, as a line as high as text. */
export function Sparkline({ values }: { readonly values: readonly (number | null)[] }) {
  const known = values.filter((value): value is number => value !== null);
  if (known.length < 2) return <svg class="spark" aria-hidden="true" />;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const points = values.flatMap((value, index) => {
    if (value === null) return [];
    const x = 2 + (index / Math.max(1, values.length - 1)) * 76;
    const y = 18 - ((value - low) / (high - low || 1)) * 14;
    return [`${x.toFixed(1)},${y.toFixed(1)}`];
  });
  return (
    <svg class="spark" viewBox="0 0 80 20" aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  );
}
