import { createHash } from "node:crypto";
import { compileTemplatePattern, type CompiledTemplatePattern, type Labels } from "@tocsin/model";
import { errorMessage } from "@tocsin/platform";
import { z } from "zod";

const ACTIONS = [
  "replace",
  "keep",
  "drop",
  "keepequal",
  "dropequal",
  "hashmod",
  "labelmap",
  "labeldrop",
  "labelkeep",
  "lowercase",
  "uppercase",
] as const;

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** A label name that may still have `$1` in it. */
const LABEL_TEMPLATE = /^(?:[a-zA-Z_]|\$\{?\w+\}?)+(?:\w|\$\{?\w+\}?)*$/;

const Pattern = z.string().transform((text, context) => {
  try {
    // Shows itself as it was written where the configuration is shown.
    return { ...compileTemplatePattern(text), toJSON: () => text };
  } catch (error) {
    context.addIssue({ code: "custom", message: `not a valid RE2 pattern: ${errorMessage(error)}` });
    return z.NEVER;
  }
});

/** One step of `relabel_configs`, in Prometheus' format. */
export const RelabelConfig = z
  .strictObject({
    source_labels: z.array(z.string()).default([]).describe("labels whose values are joined and matched"),
    separator: z.string().default(";").describe("between the joined values"),
    regex: Pattern.prefault("(.*)").describe("RE2, anchored at both ends"),
    modulus: z.int().min(0).default(0).describe("for hashmod"),
    target_label: z.string().default("").describe("label that the result goes to"),
    replacement: z.string().default("$1").describe("template for the result; $1 stands for a group"),
    action: z
      .preprocess((value) => (typeof value === "string" ? value.toLowerCase() : value), z.enum(ACTIONS))
      .default("replace"),
  })
  .superRefine((step, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    const targeted = ["replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"].includes(step.action);
    if (targeted && step.target_label === "") issue("target_label", `action ${step.action} needs a target_label`);
    else if (step.action === "replace" && !LABEL_TEMPLATE.test(step.target_label))
      issue("target_label", "not a valid label name");
    else if (targeted && step.action !== "replace" && !LABEL_NAME.test(step.target_label))
      issue("target_label", "not a valid label name");
    if (step.action === "hashmod" && step.modulus === 0)
      issue("modulus", "action hashmod needs a modulus of 1 or more");
  });
export type RelabelConfig = z.output<typeof RelabelConfig>;

/** Runs the steps over a label set; undefined when one of them drops it. Labels that end up empty are left out. */
export function relabel(labels: Labels, steps: readonly RelabelConfig[]): Record<string, string> | undefined {
  const result: Record<string, string> = { ...labels };
  for (const step of steps) if (!apply(result, step)) return undefined;
  for (const name in result) if (result[name] === "") delete result[name];
  return result;
}

/** Changes the labels in place; false when the step drops them. */
function apply(labels: Record<string, string>, step: RelabelConfig): boolean {
  const { regex, target_label: target } = step;
  const value = step.source_labels.map((name) => labels[name] ?? "").join(step.separator);
  switch (step.action) {
    case "keep":
      return regex.matches(value);
    case "drop":
      return !regex.matches(value);
    case "keepequal":
      return (labels[target] ?? "") === value;
    case "dropequal":
      return (labels[target] ?? "") !== value;
    case "replace":
      replace(labels, step, value);
      return true;
    case "hashmod":
      labels[target] = String(createHash("md5").update(value).digest().readBigUInt64BE(8) % BigInt(step.modulus));
      return true;
    case "lowercase":
      labels[target] = value.toLowerCase();
      return true;
    case "uppercase":
      labels[target] = value.toUpperCase();
      return true;
    case "labelmap":
      labelMap(labels, regex, step.replacement);
      return true;
    case "labeldrop":
      for (const name of Object.keys(labels)) if (regex.matches(name)) delete labels[name];
      return true;
    case "labelkeep":
      for (const name of Object.keys(labels)) if (!regex.matches(name)) delete labels[name];
      return true;
  }
}

function replace(labels: Record<string, string>, step: RelabelConfig, value: string): void {
  const name = step.regex.expand(value, step.target_label);
  if (name === undefined || !LABEL_NAME.test(name)) return;
  const replacement = step.regex.expand(value, step.replacement) ?? "";
  if (replacement === "") delete labels[name];
  else labels[name] = replacement;
}

function labelMap(labels: Record<string, string>, regex: CompiledTemplatePattern, template: string): void {
  for (const [name, value] of Object.entries(labels)) {
    const mapped = regex.expand(name, template);
    if (mapped !== undefined) labels[mapped] = value;
  }
}
