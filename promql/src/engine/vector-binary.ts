import type { VectorMatching } from "../parser/ast.ts";
import { isComparison, isSetOperator } from "../parser/ast.ts";
import {
  type ArithmeticBinaryOp,
  ElementOperator,
  type Operand,
  StepNotes,
  changesMetric,
  floatOperator,
} from "./binary.ts";
import { ABSENT, ColumnBuilder, type Grid, Series } from "./column.ts";
import type { Evaluating, Evaluation, SeriesStream } from "./evaluation.ts";
import { type Grouping, type LabelSet, groupingBy, groupingWithout } from "./label-set.ts";
import { mergeSameLabels } from "./merge.ts";
import type { BinaryPlan } from "./plan.ts";
import { planType } from "./plan.ts";
import { QueryError } from "./result.ts";

/** Any operator with a vector on one side or both. */
export function* evaluateBinary(ev: Evaluation, plan: BinaryPlan, grid: Grid): Evaluating<Series[]> {
  const { matching } = plan;
  if (planType(plan.lhs) === "scalar" || planType(plan.rhs) === "scalar" || matching === undefined) {
    const all: Series[] = [];
    for (const item of streamWithScalar(ev, plan, grid)) {
      if (item instanceof Series) all.push(item);
      else yield item;
    }
    return ev.delayedNameRemoval ? all : mergeSameLabels(all);
  }
  const lhs = yield* ev.vector(plan.lhs, grid);
  const rhs = yield* ev.vector(plan.rhs, grid);
  const sides = matchSides(lhs, rhs, matching);
  if (isSetOperator(plan.op)) return mergeSameLabels([...combineSets(plan.op, sides, grid)]);
  return yield* new VectorOperation(ev, plan, plan.op, matching, grid).run(sides);
}

/** A vector and a scalar, series by series. Labels may repeat in the stream where names were dropped. */
export function* streamWithScalar(ev: Evaluation, plan: BinaryPlan, grid: Grid): SeriesStream {
  const { op, returnBool } = plan;
  if (isSetOperator(op)) return;
  const scalarFirst = planType(plan.lhs) === "scalar";
  const scalar = yield* ev.scalar(scalarFirst ? plan.lhs : plan.rhs, grid);
  const operator = new ElementOperator(op);
  const stepNotes = new StepNotes(ev.notes, plan.pos);
  let order = 0;
  const compute = changesMetric(op) ? floatOperator(op) : undefined;
  const dropName = changesMetric(op) || returnBool;
  for (const series of ev.stream(scalarFirst ? plan.rhs : plan.lhs, grid)) {
    if (!(series instanceof Series)) {
      yield series;
      continue;
    }
    const column = new ColumnBuilder(grid.count);
    const computed = compute && series.kinds === undefined;
    if (computed) {
      const { values } = series;
      column.fill(values.map((value, step) => combine(compute, value, scalar[step] as number, scalarFirst)));
    }
    for (let step = computed ? grid.count : 0; step < grid.count; step++) {
      if (series.kindAt(step) === ABSENT) continue;
      const number: Operand = { value: scalar[step] as number, histogram: undefined };
      const element: Operand = { value: series.values[step] as number, histogram: series.histogramAt(step) };
      const outcome = scalarFirst ? operator.apply(number, element) : operator.apply(element, number);
      if (operator.note) stepNotes.set(step, order, operator.note);
      if (outcome === undefined) continue;
      if (returnBool) column.setFloat(step, outcome.keep ? 1 : 0);
      else if (outcome.keep) setOperand(column, step, isComparison(op) ? element : outcome);
    }
    const labels = dropName && !ev.delayedNameRemoval ? series.labels.withoutMetadata() : series.labels;
    const result = column.finish(labels, dropName || series.dropName);
    order++;
    if (result) yield result;
  }
  stepNotes.flush();
}

function combine(compute: (a: number, b: number) => number, vector: number, scalar: number, scalarFirst: boolean) {
  return scalarFirst ? compute(scalar, vector) : compute(vector, scalar);
}

function setOperand(column: ColumnBuilder, step: number, { value, histogram }: Operand): void {
  if (histogram) column.setHistogram(step, histogram);
  else column.setFloat(step, value);
}

/** Both sides with the number of the group that each series falls into by the labels it is matched on. */
interface Sides {
  lhs: readonly Series[];
  rhs: readonly Series[];
  lhsGroups: Int32Array;
  rhsGroups: Int32Array;
  groupCount: number;
}

function matchSides(lhs: readonly Series[], rhs: readonly Series[], { on, labels }: VectorMatching): Sides {
  const grouping = on ? groupingBy(labels) : groupingWithout(labels);
  const numbers = new Map<string, number>();
  const lhsGroups = numberGroups(lhs, grouping, numbers);
  const rhsGroups = numberGroups(rhs, grouping, numbers);
  return { lhs, rhs, lhsGroups, rhsGroups, groupCount: numbers.size };
}

function numberGroups(all: readonly Series[], grouping: Grouping, numbers: Map<string, number>): Int32Array {
  return Int32Array.from(all, ({ labels }) => {
    const key = grouping(labels);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, numbers.size);
    return numbers.size - 1;
  });
}

/** and, or, unless: samples pass as they are, step by step, by what is present in their group on the other side. */
function* combineSets(op: "and" | "or" | "unless", sides: Sides, grid: Grid): Generator<Series> {
  const { lhs, rhs, lhsGroups, rhsGroups } = sides;
  if (op === "or") {
    yield* lhs;
    yield* filterByPresence(rhs, rhsGroups, presence(lhs, lhsGroups, sides.groupCount, grid), false, grid);
  } else {
    const present = presence(rhs, rhsGroups, sides.groupCount, grid);
    yield* filterByPresence(lhs, lhsGroups, present, op === "and", grid);
  }
}

/** For each group the steps at which one of its series has a sample. */
function presence(all: readonly Series[], groups: Int32Array, count: number, grid: Grid): (Uint8Array | undefined)[] {
  const present: (Uint8Array | undefined)[] = Array.from({ length: count });
  for (const [i, series] of all.entries()) {
    const group = groups[i] as number;
    const steps = (present[group] ??= new Uint8Array(grid.count));
    if (series.kinds === undefined) steps.fill(1);
    else for (let step = 0; step < grid.count; step++) if (series.kinds[step] !== ABSENT) steps[step] = 1;
  }
  return present;
}

function* filterByPresence(
  all: readonly Series[],
  groups: Int32Array,
  present: readonly (Uint8Array | undefined)[],
  wanted: boolean,
  grid: Grid,
): Generator<Series> {
  for (const [i, series] of all.entries()) {
    const steps = present[groups[i] as number];
    if (steps === undefined) {
      if (!wanted) yield series;
      continue;
    }
    const column = new ColumnBuilder(grid.count);
    for (let step = 0; step < grid.count; step++) {
      if ((steps[step] === 1) !== wanted || series.kindAt(step) === ABSENT) continue;
      setOperand(column, step, { value: series.values[step] as number, histogram: series.histogramAt(step) });
    }
    const kept = column.finish(series.labels, series.dropName);
    if (kept) yield kept;
  }
}

/** How many steps of a group may be worked through between two pauses. */
const STEPS_PER_PAUSE = 64;

/** The result of one pair of series, filled step by step. */
interface PairResult {
  labels: LabelSet;
  /** Its place in the answer: that of the "many" side's first series that led to it. */
  order: number;
  column: ColumnBuilder;
}

/** What went wrong at a step, and in which order it is found there. */
interface Failure {
  step: number;
  /** 0: the "one" side has two; 1: two results match; 2: two results have the same labels. */
  phase: 0 | 1 | 2;
  index: number;
  error: QueryError;
}

const isEarlier = (a: Failure, b: Failure): boolean => (a.step - b.step || a.phase - b.phase || a.index - b.index) < 0;

/** Whether a step's result is one too many for its group. */
function mismatch(matched: number, seen: Set<string> | undefined, { labels }: PairResult): QueryError | undefined {
  if (seen === undefined) {
    return matched > 1
      ? failure("multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
      : undefined;
  }
  if (seen.has(labels.key)) return failure("multiple matches for labels: grouping labels must ensure unique matches");
  seen.add(labels.key);
  return undefined;
}

const failure = (message: string) => new QueryError("execution", message);

/** Arithmetic and comparison between two vectors. One side ("many") may have several series in a group. */
class VectorOperation {
  private readonly ev: Evaluation;
  private readonly operator: ElementOperator;
  /** For arithmetic on floats alone. */
  private readonly compute: ((a: number, b: number) => number) | undefined;
  private readonly stepNotes: StepNotes;
  private readonly matching: VectorMatching;
  private readonly returnBool: boolean;
  private readonly grid: Grid;
  /** With group_right the sides change places, and the operands change back. */
  private readonly swapped: boolean;
  /** Steps at which there is anything to match. */
  private active: Uint8Array = new Uint8Array();
  private failed: Failure | undefined;
  private readonly results = new Map<string, PairResult>();
  private readonly pairs = new Map<number, PairResult>();
  private readonly matchedLabels: ReadonlySet<string>;

  constructor(ev: Evaluation, plan: BinaryPlan, op: ArithmeticBinaryOp, matching: VectorMatching, grid: Grid) {
    this.ev = ev;
    this.operator = new ElementOperator(op);
    this.compute = changesMetric(op) ? floatOperator(op) : undefined;
    this.stepNotes = new StepNotes(ev.notes, plan.pos);
    this.matching = matching;
    this.returnBool = plan.returnBool;
    this.grid = grid;
    this.swapped = matching.card === "one-to-many";
    this.matchedLabels = new Set(matching.labels);
  }

  *run(sides: Sides): Evaluating<Series[]> {
    const { fillLeft, fillRight } = this.matching;
    const many = this.swapped ? sides.rhs : sides.lhs;
    const one = this.swapped ? sides.lhs : sides.rhs;
    const manyGroups = this.swapped ? sides.rhsGroups : sides.lhsGroups;
    const oneGroups = this.swapped ? sides.lhsGroups : sides.rhsGroups;
    this.active = activeSteps(sides, this.grid, fillLeft !== undefined || fillRight !== undefined);
    const ones = groupIndexes(oneGroups, sides.groupCount);
    const groups = groupIndexes(manyGroups, sides.groupCount);
    for (let group = 0; group < sides.groupCount; group++) {
      yield undefined;
      // The values to fill in are named for left and right, but used for many and one.
      yield* this.runGroup(many, groups[group] ?? [], one, ones[group] ?? [], fillLeft, fillRight);
    }
    if (this.failed) throw this.failed.error;
    this.stepNotes.flush();
    const all: Series[] = [];
    for (const { labels, column } of [...this.results.values()].sort((a, b) => a.order - b.order)) {
      const series = column.finish(labels, this.returnBool);
      if (series) all.push(series);
    }
    return this.ev.delayedNameRemoval ? all : mergeSameLabels(all);
  }

  private oneAt(one: readonly Series[], partners: readonly number[], step: number): number | undefined {
    let found: number | undefined;
    for (const index of partners) {
      if ((one[index] as Series).kindAt(step) === ABSENT) continue;
      if (found !== undefined)
        this.fail({ step, phase: 0, index, error: this.duplicate(one[found] as Series, one[index] as Series) });
      found = index;
    }
    return found;
  }

  /** Groups are worked through one by one, but the failure to report is the one at the first step. */
  private fail(failure: Failure): void {
    if (this.failed === undefined || isEarlier(failure, this.failed)) this.failed = failure;
  }

  private duplicate(a: Series, b: Series): QueryError {
    const group = this.matchGroup(b.labels);
    const side = this.swapped ? "left" : "right";
    const [first, second] = [String(a.labels), String(b.labels)].sort();
    return failure(
      `found duplicate series for the match group ${group.toString()} on the ${side} hand-side of the operation: [${first}, ${second}];many-to-many matching not allowed: matching labels must be unique on one side`,
    );
  }

  private matchGroup(labels: LabelSet): LabelSet {
    const { on } = this.matching;
    return on ? labels.only(this.matchedLabels) : labels.without(new Set([...this.matchedLabels, "__name__"]));
  }

  private *runGroup(
    many: readonly Series[],
    members: readonly number[],
    one: readonly Series[],
    partners: readonly number[],
    manyFill: number | undefined,
    oneFill: number | undefined,
  ): Evaluating<void> {
    if (partners.length === 0 && oneFill === undefined) return;
    // Even a group that nothing matches must not have two series at a step on its "one" side.
    if (members.length === 0 && manyFill === undefined && partners.length < 2) return;
    const isOneToOne = this.matching.card === "one-to-one";
    if (isOneToOne && members.length === 1 && partners.length === 1) {
      const [member = 0, partner = 0] = [members[0], partners[0]];
      if (this.combineFloats(many[member] as Series, one[partner] as Series, member, partner)) return;
    }
    for (let step = 0; step < this.grid.count; step++) {
      if (step % STEPS_PER_PAUSE === STEPS_PER_PAUSE - 1) yield undefined;
      if (this.active[step] === 0) continue;
      const partner = this.oneAt(one, partners, step);
      const other = partner === undefined ? undefined : (one[partner] as Series);
      if (other === undefined && oneFill === undefined) continue;
      const seen = isOneToOne ? undefined : new Set<string>();
      let matched = 0;
      for (const member of members) {
        const series = many[member] as Series;
        if (series.kindAt(step) === ABSENT) continue;
        const otherLabels = other?.labels ?? this.matchGroup(series.labels);
        const outcome = this.apply(operandAt(series, step), other ? operandAt(other, step) : float(oneFill ?? 0));
        if (this.operator.note) this.stepNotes.set(step, member, this.operator.note);
        if (outcome === undefined) continue;
        const result = this.resultOf(member, partner, series.labels, otherLabels);
        const error = mismatch(++matched, seen, result);
        if (error) this.fail({ step, phase: 1, index: member, error });
        else this.set(result, step, outcome, member);
      }
      if (this.failed && this.failed.step <= step) return;
      if (other === undefined || matched > 0 || manyFill === undefined) continue;
      const outcome = this.apply(float(manyFill), operandAt(other, step));
      if (this.operator.note) this.stepNotes.set(step, many.length + (partner ?? 0), this.operator.note);
      if (outcome) this.set(this.resultOf(-1, partner, this.matchGroup(other.labels), other.labels), step, outcome, -1);
      if (this.failed && this.failed.step <= step) return;
    }
  }

  /** The common case: arithmetic on two series that have a float at every step. */
  private combineFloats(a: Series, b: Series, member: number, partner: number): boolean {
    const { compute } = this;
    if (compute === undefined || a.kinds !== undefined || b.kinds !== undefined) return false;
    const { column } = this.resultOf(member, partner, a.labels, b.labels);
    if (!column.isEmpty) return false;
    const { values } = b;
    column.fill(a.values.map((value, step) => compute(value, values[step] as number)));
    return true;
  }

  private apply(many: Operand, one: Operand): { value: Operand; keep: boolean } | undefined {
    const outcome = this.swapped ? this.operator.apply(one, many) : this.operator.apply(many, one);
    if (outcome === undefined) return undefined;
    if (this.returnBool) return { value: float(outcome.keep ? 1 : 0), keep: true };
    return { value: outcome, keep: outcome.keep };
  }

  private set({ column }: PairResult, step: number, outcome: { value: Operand; keep: boolean }, index: number): void {
    if (!outcome.keep) return;
    if (column.has(step))
      this.fail({ step, phase: 2, index, error: failure("vector cannot contain metrics with the same labelset") });
    else setOperand(column, step, outcome.value);
  }

  /** Where the result of two series goes; computed once a pair. Pairs with the same labels share it. */
  private resultOf(member: number, partner: number | undefined, many: LabelSet, one: LabelSet): PairResult {
    const pair = (member + 1) * 0x8000000 + (partner ?? -1) + 1;
    let result = this.pairs.get(pair);
    if (result === undefined) {
      const labels = this.resultLabels(many, one);
      result = this.results.get(labels.key);
      if (result === undefined) {
        const order = member < 0 ? Number.MAX_SAFE_INTEGER : member;
        result = { labels, order, column: new ColumnBuilder(this.grid.count) };
        this.results.set(labels.key, result);
      }
      this.pairs.set(pair, result);
    }
    return result;
  }

  private resultLabels(many: LabelSet, one: LabelSet): LabelSet {
    const { card, on, include } = this.matching;
    const dropsName = (this.returnBool && !this.ev.delayedNameRemoval) || changesMetric(this.operator.op);
    let labels = dropsName ? many.withoutMetadata() : many;
    if (card === "one-to-one") labels = on ? labels.only(this.matchedLabels) : labels.without(this.matchedLabels);
    for (const name of include) labels = labels.with(name, one.get(name));
    return labels;
  }
}

/** With nothing to fill in, both sides must have a sample; else one of them. */
function activeSteps({ lhs, rhs }: Sides, { count }: Grid, fills: boolean): Uint8Array {
  const left = anyPresent(lhs, count);
  const right = anyPresent(rhs, count);
  return left.map((here, step) => Number(fills ? here || right[step] : here && right[step]));
}

function anyPresent(all: readonly Series[], steps: number): Uint8Array {
  const present = new Uint8Array(steps);
  if (all.some((series) => series.kinds === undefined)) return present.fill(1);
  for (const { kinds } of all) kinds?.forEach((kind, step) => kind !== ABSENT && (present[step] = 1));
  return present;
}

const float = (value: number): Operand => ({ value, histogram: undefined });
const operandAt = (series: Series, step: number): Operand => ({
  value: series.values[step] as number,
  histogram: series.histogramAt(step),
});

function groupIndexes(groups: Int32Array, count: number): number[][] {
  const members: number[][] = Array.from({ length: count }, () => []);
  for (const [i, group] of groups.entries()) members[group]?.push(i);
  return members;
}
