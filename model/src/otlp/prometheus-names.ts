/** UCUM units as OTLP writes them → the words Prometheus names use. */
const UNITS: Readonly<Record<string, string>> = {
  d: "days",
  h: "hours",
  min: "minutes",
  s: "seconds",
  ms: "milliseconds",
  us: "microseconds",
  ns: "nanoseconds",
  By: "bytes",
  KiBy: "kibibytes",
  MiBy: "mebibytes",
  GiBy: "gibibytes",
  TiBy: "tibibytes",
  KBy: "kilobytes",
  MBy: "megabytes",
  GBy: "gigabytes",
  TBy: "terabytes",
  m: "meters",
  V: "volts",
  A: "amperes",
  J: "joules",
  W: "watts",
  g: "grams",
  Cel: "celsius",
  Hz: "hertz",
  "1": "",
  "%": "percent",
};
const PER_UNITS: Readonly<Record<string, string>> = {
  s: "second",
  m: "minute",
  h: "hour",
  d: "day",
  w: "week",
  mo: "month",
  y: "year",
};

/**
 * The Prometheus name of an OTLP metric as Prometheus 3 builds it with UnderscoreEscapingWithSuffixes: tokens joined by
 * underscores, the unit appended in words, `_total` for monotonic sums, `_ratio` for gauges of unit 1. Empty when nothing
 * of the name is left.
 */
export function prometheusName(name: string, unit: string, kind: "counter" | "gauge" | "other"): string {
  let tokens = name.split(/[^a-zA-Z0-9:]+/).filter((token) => token !== "");
  const { main, per } = unitWords(unit);
  if (main !== "" && !tokens.includes(main)) tokens.push(main);
  if (per !== "" && !tokens.includes(per)) tokens.push(per);
  if (kind === "counter") tokens = moveLast(tokens, "total");
  if (kind === "gauge" && unit === "1") tokens = moveLast(tokens, "ratio");
  const joined = tokens.join("_");
  return /^\d/.test(joined) ? `_${joined}` : joined;
}

const moveLast = (tokens: string[], last: string) => [...tokens.filter((token) => token !== last), last];

/** `By/s` → bytes, per_second; annotations in braces are no units. */
export function unitWords(unit: string): { main: string; per: string } {
  const slash = unit.indexOf("/");
  const mainUnit = (slash < 0 ? unit : unit.slice(0, slash)).trim();
  const perUnit = slash < 0 ? "" : unit.slice(slash + 1).trim();
  const main = mainUnit.match(/[{}]/) ? "" : clean(own(UNITS, mainUnit));
  const perWord = perUnit.match(/[{}]/) ? "" : clean(own(PER_UNITS, perUnit)).replace(/_$/, "");
  const per = perWord === "" ? "" : `per_${perWord}`;
  return { main: per === "" ? main : main.replace(/_$/, ""), per };
}

function own(words: Readonly<Record<string, string>>, unit: string): string {
  return Object.hasOwn(words, unit) ? (words[unit] as string) : unit;
}

function clean(unit: string): string {
  return unit.replaceAll(/[^a-zA-Z0-9:]+/g, "_").replace(/^_/, "");
}

const labelNames = new Map<string, string>();
const MAX_LABEL_NAMES = 10_000;

/**
 * The Prometheus label name of an OTLP attribute: other characters become underscores; a digit in front gets `key_`, a
 * single underscore in front gets `key`. Empty when only underscores would be left of something else.
 */
export function prometheusLabelName(attribute: string): string {
  const known = labelNames.get(attribute);
  if (known !== undefined) return known;
  let name = attribute.replaceAll(/[^a-zA-Z0-9_]/gu, "_");
  if (/^\d/.test(name)) name = `key_${name}`;
  else if (/^_(?!_)/.test(name)) name = `key${name}`;
  if (name !== attribute && /^_*$/.test(name)) name = "";
  if (labelNames.size < MAX_LABEL_NAMES) labelNames.set(attribute, name);
  return name;
}
