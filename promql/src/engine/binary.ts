import type { BinaryOp, ComparisonOp, PositionRange } from "../parser/ast.ts";
import { isComparison } from "../parser/ast.ts";
import { quoteString } from "../parser/go-format.ts";
import { type Annotations, notes } from "./annotations.ts";
import { add, divide, multiply, subtract } from "./histogram/arithmetic.ts";
import { type Histogram, compact, equalHistograms } from "./histogram/shape.ts";
import { trimBuckets } from "./histogram/trim.ts";

/** A sample as an operand or result: a histogram, else a float. */
export interface Operand {
  value: number;
  histogram: Histogram | undefined;
}

/** What an operator makes of two samples. `keep` is false where a comparison does not hold. */
export interface Outcome extends Operand {
  keep: boolean;
}

export type ArithmeticBinaryOp = Exclude<BinaryOp, "and" | "or" | "unless">;

/** Operators after which the result is no longer the metric it was. */
const CHANGING: ReadonlySet<BinaryOp> = new Set(["+", "-", "*", "/", "%", "^", "atan2"]);
export const changesMetric = (op: BinaryOp): boolean => CHANGING.has(op);

/** x ^ y as C and Go have it: 1 to any power is 1, and so is -1 to an infinite one. */
export function power(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return x ** y;
}

const compare: Readonly<Record<ComparisonOp, (a: number, b: number) => boolean>> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
};

/** An operator on floats that gives a float at once; comparisons give 1 or 0. */
export function floatOperator(op: ArithmeticBinaryOp): (a: number, b: number) => number {
  switch (op) {
    case "+":
      return (a, b) => a + b;
    case "-":
      return (a, b) => a - b;
    case "*":
      return (a, b) => a * b;
    case "/":
      return (a, b) => a / b;
    case "%":
      return (a, b) => a % b;
    case "^":
      return power;
    case "atan2":
      return Math.atan2;
    case "</":
    case ">/":
      return () => Number.NaN;
    default: {
      const holds = compare[op];
      return (a, b) => (holds(a, b) ? 1 : 0);
    }
  }
}

/**
 * An operator on two samples of any type. Undefined where it gives nothing, which is noted; the histograms of a result
 * are compact.
 */
export class ElementOperator {
  readonly op: ArithmeticBinaryOp;
  private readonly annotations: Annotations;
  private readonly pos: PositionRange;
  private readonly float: (a: number, b: number) => number;
  private readonly comparison: ((a: number, b: number) => boolean) | undefined;

  constructor(op: ArithmeticBinaryOp, annotations: Annotations, pos: PositionRange) {
    this.op = op;
    this.annotations = annotations;
    this.pos = pos;
    this.float = floatOperator(op);
    this.comparison = isComparison(op) ? compare[op] : undefined;
  }

  apply(a: Operand, b: Operand): Outcome | undefined {
    if (a.histogram === undefined && b.histogram === undefined) return this.floats(a.value, b.value);
    const histogram = this.histogram(a, b);
    if (histogram === undefined) return undefined;
    const keep =
      this.op === "==" || this.op === "!="
        ? equalHistograms(a.histogram as Histogram, b.histogram as Histogram) === (this.op === "==")
        : true;
    return { value: 0, histogram, keep };
  }

  private floats(a: number, b: number): Outcome | undefined {
    if (this.comparison) return { value: a, histogram: undefined, keep: this.comparison(a, b) };
    if (this.op === "</" || this.op === ">/") return this.incompatible("float", "float");
    return { value: this.float(a, b), histogram: undefined, keep: true };
  }

  private histogram(a: Operand, b: Operand): Histogram | undefined {
    const { op } = this;
    if (a.histogram && b.histogram) return this.histograms(a.histogram, b.histogram);
    if (b.histogram) {
      return op === "*" ? compact(multiply(b.histogram, a.value)) : this.incompatible("float", "histogram");
    }
    if (a.histogram === undefined) return undefined;
    switch (op) {
      case "*":
        return compact(multiply(a.histogram, b.value));
      case "/":
        return compact(divide(a.histogram, b.value));
      case "</":
        return trimBuckets(a.histogram, b.value, true);
      case ">/":
        return trimBuckets(a.histogram, b.value, false);
      default:
        return this.incompatible("histogram", "float");
    }
  }

  private histograms(a: Histogram, b: Histogram): Histogram | undefined {
    const { op } = this;
    if (op === "==" || op === "!=") return a;
    if (op !== "+" && op !== "-") return this.incompatible("histogram", "histogram");
    const result = op === "+" ? add(a, b) : subtract(a, b);
    const operation = op === "+" ? "addition" : "subtraction";
    if (result === undefined) {
      this.annotations.warn(`incompatible bucket layout encountered for binary operator ${op}`, this.pos);
      return undefined;
    }
    if (result.collision) this.annotations.warn(notes.counterResetCollision(operation), this.pos);
    if (result.reconciled) this.annotations.info(notes.mismatchedBuckets(operation), this.pos);
    return compact(op === "-" ? { ...result.histogram, counterReset: "gauge" } : result.histogram);
  }

  private incompatible(left: string, right: string): undefined {
    const text = `incompatible sample types encountered for binary operator ${quoteString(this.op)}: ${left} ${this.op} ${right}`;
    this.annotations.info(text, this.pos);
  }
}

