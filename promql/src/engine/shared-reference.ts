import { type Plan, type TimePlan, planType } from "./plan.ts";

/** The time that all selectors in a vector expression look at, if it is the same; else undefined. */
export function sharedReference(plan: Plan): TimePlan | undefined {
  const found: TimePlan[] = [];
  let isFree = false;
  const inspect = (node: Plan, around: readonly TimePlan[]): boolean => {
    if (node.kind === "invariant") return inspect(node.expr, around);
    const type = planType(node);
    if (type !== "vector" && type !== "matrix") return false;
    const selector = node.kind === "range" ? node.selector : node;
    if (selector.kind === "selector") {
      found.push(shifted(selector, around));
      return true;
    }
    const inside = node.kind === "subquery" ? [...around, node] : around;
    const inspected = subPlans(node).map((child) => inspect(child, inside));
    if (inspected.includes(true)) return true;
    isFree = true;
    return false;
  };
  inspect(plan, []);
  const [first] = found;
  if (first === undefined || isFree) return undefined;
  return found.every((time) => isSameTime(time, first)) ? first : undefined;
}

function subPlans(plan: Plan): readonly Plan[] {
  switch (plan.kind) {
    case "call":
      return plan.func === "info" ? plan.args.slice(0, 1) : plan.args;
    case "aggregate":
      return plan.param ? [plan.expr, plan.param] : [plan.expr];
    case "binary":
      return [plan.lhs, plan.rhs];
    case "unary":
    case "subquery":
    case "invariant":
      return [plan.expr];
    case "number":
    case "string":
    case "selector":
    case "range":
      return [];
  }
}

/** Subqueries around a selector shift it, up to the first `@`. */
function shifted({ offsetMs, atMs }: TimePlan, around: readonly TimePlan[]): TimePlan {
  const time = { offsetMs, atMs };
  for (const outer of around.toReversed()) {
    if (time.atMs !== undefined) break;
    time.offsetMs += outer.offsetMs;
    time.atMs = outer.atMs;
  }
  return time;
}

function isSameTime(a: TimePlan, b: TimePlan): boolean {
  if (a.atMs === undefined || b.atMs === undefined) return a.atMs === b.atMs && a.offsetMs === b.offsetMs;
  return a.atMs - a.offsetMs === b.atMs - b.offsetMs;
}
