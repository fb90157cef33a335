import { logarithm, logarithm2, logarithm10 } from "./elementary.ts";
import * as trigonometry from "./trigonometry.ts";

/** Functions of one float, by name. */
export const FLOAT_FUNCTIONS: ReadonlyMap<string, (value: number) => number> = new Map(
  Object.entries({
    abs: Math.abs,
    acos: trigonometry.acos,
    acosh: trigonometry.acosh,
    asin: trigonometry.asin,
    asinh: trigonometry.asinh,
    atan: trigonometry.atan,
    atanh: trigonometry.atanh,
    ceil: Math.ceil,
    cos: trigonometry.cos,
    cosh: trigonometry.cosh,
    deg: (value: number) => (value * 180) / Math.PI,
    exp: Math.exp,
    floor: Math.floor,
    ln: logarithm,
    log10: logarithm10,
    log2: logarithm2,
    rad: (value: number) => (value * Math.PI) / 180,
    sgn: (value: number) => (value < 0 ? -1 : value > 0 ? 1 : value),
    sin: trigonometry.sin,
    sinh: trigonometry.sinh,
    sqrt: Math.sqrt,
    tan: trigonometry.tan,
    tanh: trigonometry.tanh,
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
