import { METRIC_NAME, type Matcher } from "@tocsin/model";
import { LabelSet } from "../label-set.ts";
import type { Plan } from "../plan.ts";

/** The labels of what `absent` says is missing: those the selector demands with `=`, each named only once. */
export function absentLabels(argument: Plan | undefined): LabelSet {
  let labels = LabelSet.EMPTY;
  const seen = new Set<string>();
  for (const { name, type, value } of matchersOf(argument)) {
    if (name === METRIC_NAME) continue;
    if (type === "=" && !seen.has(name)) {
      labels = labels.with(name, value);
      seen.add(name);
    } else {
      labels = labels.with(name, "");
    }
  }
  return labels;
}

function matchersOf(plan: Plan | undefined): readonly Matcher[] {
  if (plan?.kind === "selector") return plan.matchers;
  return plan?.kind === "range" ? plan.selector.matchers : [];
}
