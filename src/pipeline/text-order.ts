/** The order of every sorted file: by the bytes of the text in UTF-8, which is the order of its code points. */

/**
 * Compares like a comparison of UTF-8 bytes; negative, 0 or positive. `<` alone would sort characters beyond the basic
 * plane (two surrogate units) before U+E000 to U+FFFF.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
