import { METRIC_NAME } from "@tocsin/model";
import { RE2JS } from "re2js";
import { isUtf8LabelName } from "../../parser/label-name.ts";
import type { Series } from "../column.ts";
import { QueryError } from "../result.ts";

const failure = (message: string) => new QueryError("execution", message);

/** A change of labels that looks at nothing else. */
export type Relabelling = (series: Series) => Series;

export function labelReplace(target: string, replacement: string, source: string, pattern: string): Relabelling {
  const regexp = compileAnchored(pattern);
  if (!isUtf8LabelName(target)) throw failure(`invalid destination label name in label_replace(): ${rawText(target)}`);
  const parts = parseTemplate(replacement);
  return (series) => {
    const match = regexp.matcher(series.labels.get(source));
    if (!match.matches()) return series;
    const value = parts.map((part) => (typeof part === "string" ? part : groupText(match, part))).join("");
    return relabelled(series, target, value);
  };
}

export function labelJoin(target: string, separator: string, sources: readonly string[]): Relabelling {
  const bad = sources.find((name) => !isUtf8LabelName(name));
  if (bad !== undefined) throw failure(`invalid source label name in label_join(): ${rawText(bad)}`);
  if (!isUtf8LabelName(target)) throw failure(`invalid destination label name in label_join(): ${rawText(target)}`);
  return (series) => relabelled(series, target, sources.map((name) => series.labels.get(name)).join(separator));
}

/** A metric that was given a new name keeps it. */
function relabelled(series: Series, target: string, value: string): Series {
  const dropName = target === METRIC_NAME ? false : series.dropName;
  return series.relabelled(series.labels.with(target, value), dropName);
}

function compileAnchored(pattern: string): RE2JS {
  try {
    return RE2JS.compile(`^(?s:${pattern})$`);
  } catch {
    // The reference gives no reason either.
    throw failure(`invalid regular expression in label_replace(): ${pattern}`);
  }
}

/** A group by number or name. */
type GroupReference = { group: number | string };

/** Cuts a template as Go's Expand reads it: `$1`, `$name`, `${name}`, and `$$` for a dollar sign. */
function parseTemplate(template: string): (string | GroupReference)[] {
  const parts: (string | GroupReference)[] = [];
  let rest = template;
  while (rest !== "") {
    const dollar = rest.indexOf("$");
    if (dollar < 0) return [...parts, rest];
    if (dollar > 0) parts.push(rest.slice(0, dollar));
    rest = rest.slice(dollar);
    const match = /^\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/u.exec(rest);
    if (!match) {
      parts.push("$");
      rest = rest.slice(1);
      continue;
    }
    const name = match[1] ?? match[2];
    if (name === undefined) parts.push("$");
    else parts.push({ group: /^\d+$/.test(name) ? Number(name) : name });
    rest = rest.slice(match[0].length);
  }
  return parts;
}

function groupText(match: ReturnType<RE2JS["matcher"]>, { group }: GroupReference): string {
  if (typeof group === "number") return group <= match.groupCount() ? (match.group(group) ?? "") : "";
  return Object.hasOwn(match.pattern().namedGroups(), group) ? (match.group(group) ?? "") : "";
}

/** Bytes that are not UTF-8 show as the replacement character. */
const rawText = (name: string): string => name.toWellFormed();
