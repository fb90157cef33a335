/** Functions of one float, by name. */
export const FLOAT_FUNCTIONS: ReadonlyMap<string, (value: number) => number> = new Map(
  Object.entries({
    abs: Math.abs,
    acos: Math.acos,
    acosh: Math.acosh,
    asin: Math.asin,
    asinh: Math.asinh,
    atan: Math.atan,
    atanh: Math.atanh,
    ceil: Math.ceil,
    cos: Math.cos,
    cosh: Math.cosh,
    deg: (value: number) => (value * 180) / Math.PI,
    exp: Math.exp,
    floor: Math.floor,
    ln: Math.log,
    log10: Math.log10,
    log2: Math.log2,
    rad: (value: number) => (value * Math.PI) / 180,
    sgn: (value: number) => (value < 0 ? -1 : value > 0 ? 1 : value),
    sin: Math.sin,
    sinh: Math.sinh,
    sqrt: Math.sqrt,
    tan: Math.tan,
    tanh: Math.tanh,
  }),
);

/** Rounds to a multiple; half-way goes up. */
export function roundTo(value: number, multiple: number): number {
  const inverse = 1 / multiple;
  return Math.floor(value * inverse + 0.5) / inverse;
}

/** The larger of two; infinity wins even over NaN. */
export function maximum(a: number, b: number): number {
  return a === Infinity || b === Infinity ? Infinity : Math.max(a, b);
}

/** The smaller of two; minus infinity wins even over NaN. */
export function minimum(a: number, b: number): number {
  return a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b);
}
