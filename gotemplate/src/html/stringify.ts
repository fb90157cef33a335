import { sprint } from "../format.ts";
import { type ContentKind, type GoValue, SafeContent } from "../value.ts";

/** Stands in the output where a value was not safe enough for its place. */
export const FILTERED = "ZgotmplZ";

/** The text of the values, and what it is known to be safe as. Nil is left out. */
export function stringify(values: readonly GoValue[]): { text: string; kind: ContentKind | "plain" } {
  const [only] = values;
  if (values.length === 1) {
    if (typeof only === "string") return { text: only, kind: "plain" };
    if (only instanceof SafeContent) return { text: only.text, kind: only.kind };
  }
  return { text: sprint(...values.filter((value) => value !== undefined && value !== null)), kind: "plain" };
}
