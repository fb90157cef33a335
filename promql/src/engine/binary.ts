import type { BinaryOp, ComparisonOp, PositionRange } from "../parser/ast.ts";
import { isComparison } from "../parser/ast.ts";
import { quoteString } from "../parser/go-format.ts";
import { type Annotations, notes } from "./annotations.ts";
import { power } from "./functions/elementary.ts";
import { atan2 } from "./functions/trigonometry.ts";
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

/** What there is to say of a pair of samples. */
interface PairNote {
  level: "warn" | "info";
  text: string;
}

/**
 * The notes of an operator. Of all pairs at one step only the last one's note counts, as in the reference; pairs may
 * come in any order.
 */
export class StepNotes {
  private readonly last = new Map<number, { order: number; note: PairNote }>();
  private readonly annotations: Annotations;
  private readonly pos: PositionRange;

  constructor(annotations: Annotations, pos: PositionRange) {
    this.annotations = annotations;
    this.pos = pos;
  }

  set(step: number, order: number, note: PairNote): void {
    const known = this.last.get(step);
    if (known === undefined || known.order <= order) this.last.set(step, { order, note });
  }

  flush(): void {
    for (const { note } of this.last.values()) this.annotations[note.level](note.text, this.pos);
  }
}

export type ArithmeticBinaryOp = Exclude<BinaryOp, "and" | "or" | "unless">;

/** Operators after which the result is no longer the metric it was. */
const CHANGING: ReadonlySet<BinaryOp> = new Set(["+", "-", "*", "/", "%", "^", "atan2"]);
export const changesMetric = (op: BinaryOp): boolean => CHANGING.has(op);

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
      return atan2;
    case "</":
    case ">/":
      return () => Number.NaN;
    case "==":
    case "!=":
    case ">":
    case "<":
    case ">=":
    case "<=": {
      const holds = compare[op];
      return (a, b) => (holds(a, b) ? 1 : 0);
    }
  }
}

/**
 * An operator on two samples of any type. Undefined where it gives nothing; then, and where a result needs a remark,
 * `note` is set until the next call. The histograms of a result are compact.
 */
export class ElementOperator {
  readonly op: ArithmeticBinaryOp;
  note: PairNote | undefined;
  private readonly float: (a: number, b: number) => number;
  private readonly comparison: ((a: number, b: number) => boolean) | undefined;

  constructor(op: ArithmeticBinaryOp) {
    this.op = op;
    this.float = floatOperator(op);
    this.comparison = isComparison(op) ? compare[op] : undefined;
  }

  apply(a: Operand, b: Operand): Outcome | undefined {
    this.note = undefined;
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
    if (b.histogram)
      return op === "*" ? compact(multiply(b.histogram, a.value)) : this.incompatible("float", "histogram");
    if (a.histogram === undefined) return undefined;
    if (op === "*") return compact(multiply(a.histogram, b.value));
    if (op === "/") return compact(divide(a.histogram, b.value));
    if (op === "</" || op === ">/") return trimBuckets(a.histogram, b.value, op === "</");
    return this.incompatible("histogram", "float");
  }

  private histograms(a: Histogram, b: Histogram): Histogram | undefined {
    const { op } = this;
    if (op === "==" || op === "!=") return a;
    if (op !== "+" && op !== "-") return this.incompatible("histogram", "histogram");
    const result = op === "+" ? add(a, b) : subtract(a, b);
    const operation = op === "+" ? "addition" : "subtraction";
    if (result === undefined) {
      this.note = { level: "warn", text: `incompatible bucket layout encountered for binary operator ${op}` };
      return undefined;
    }
    if (result.collision) {
      // Histograms that contradict each other have no sum.
      this.note = { level: "warn", text: notes.counterResetCollision(operation) };
      return undefined;
    }
    if (result.reconciled) this.note = { level: "info", text: notes.mismatchedBuckets(operation) };
    return compact(op === "-" ? { ...result.histogram, counterReset: "gauge" } : result.histogram);
  }

  private incompatible(left: string, right: string): undefined {
    const text = `incompatible sample types encountered for binary operator ${quoteString(this.op)}: ${left} ${this.op} ${right}`;
    this.note = { level: "info", text };
  }
}
