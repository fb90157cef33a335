/** The six hues of the palette; beyond them dashes tell series apart, then only their labels. */
const HUES = 6;

/** The colour of a hue of the palette, as a CSS value. */
export const hueColour = (hue: number): string => `var(--tc-series-${(hue % HUES) + 1})`;

/** `""`, dashed, dotted: the pattern of a line whose hue is taken already. */
export const dashOf = (index: number): string | undefined => [undefined, "6 3", "2 3"][Math.floor(index / HUES) % 3];

/**
 * A hue for each name: the name's own by hash where it is free, else the next free one. Two people who look at the same
 * names see the same colours, whatever order they came in.
 */
export function huesOf(names: readonly string[]): Map<string, number> {
  const hues = new Map<string, number>();
  const taken = new Set<number>();
  for (const name of [...new Set(names)].sort()) {
    let hue = hash(name) % HUES;
    for (let tries = 0; tries < HUES && taken.has(hue); tries++) hue = (hue + 1) % HUES;
    taken.add(hue);
    if (taken.size === HUES) taken.clear();
    hues.set(name, hue);
  }
  return hues;
}

function hash(text: string): number {
  let value = 2_166_136_261;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 16_777_619);
  return value >>> 0;
}
