import { formatOpenMetricsFloat, METRIC_NAME, type MetricType } from "@tocsin/model";

export type ExpositionFormat = "prometheus" | "openmetrics";

interface ExpositionExemplar {
  labels: Record<string, string>;
  value: number;
  /** Undefined when the target gave none. */
  timestampMs: number | undefined;
}

/** What the parser calls as it goes. `series` is the text of name and labels; `parseSeries` reads it. */
export interface ExpositionHandler {
  type(family: string, type: MetricType): void;
  help(family: string, help: string): void;
  unit(family: string, unit: string): void;
  sample(
    series: string,
    value: number,
    timestampMs: number | undefined,
    exemplar: ExpositionExemplar | undefined,
    type: MetricType,
  ): void;
}

/** The text is not valid exposition; the message names the line. */
export class ExpositionError extends Error {
  override readonly name = "ExpositionError";
}

const TYPES: Readonly<Record<ExpositionFormat, Readonly<Record<string, MetricType>>>> = {
  prometheus: {
    counter: "counter",
    gauge: "gauge",
    histogram: "histogram",
    summary: "summary",
    untyped: "unknown",
    unknown: "unknown",
  },
  openmetrics: {
    counter: "counter",
    gauge: "gauge",
    histogram: "histogram",
    gaugehistogram: "gaugehistogram",
    summary: "summary",
    info: "info",
    stateset: "stateset",
    unknown: "unknown",
  },
};

/**
 * Reads Prometheus text 0.0.4 or OpenMetrics 1.0. Names outside the classic characters come in quotes, as Prometheus 3
 * writes them. Label sets are only delimited here, so that a caller who knows the text already need not read them again.
 * Throws ExpositionError.
 */
export function parseExposition(text: string, format: ExpositionFormat, handler: ExpositionHandler): void {
  const openMetrics = format === "openmetrics";
  let type: MetricType = "unknown";
  let line = 0;
  let ended = false;
  let start = 0;
  try {
    while (start < text.length) {
      line++;
      if (ended) throw new ExpositionError("there is more after # EOF");
      let end = text.indexOf("\n", start);
      if (end < 0) end = text.length;
      const first = openMetrics ? start : skipBlanks(text, start, end);
      if (first === end) {
        if (openMetrics) throw new ExpositionError("empty line");
      } else if (text.charCodeAt(first) !== HASH) {
        parseSample(text, first, end, openMetrics, type, handler);
      } else if (openMetrics && text.slice(first, end) === "# EOF") {
        ended = true;
      } else {
        type = parseComment(text.slice(first, end), format, handler) ?? type;
      }
      start = end + 1;
    }
    if (openMetrics && !ended) throw new ExpositionError("the text does not end with # EOF");
  } catch (error) {
    if (!(error instanceof ExpositionError)) throw error;
    throw new ExpositionError(`line ${line}: ${error.message}`, { cause: error });
  }
}

const HASH = 35;
const OPEN = 123;
const CLOSE = 125;
const QUOTE = 34;
const BACKSLASH = 92;

const isBlank = (code: number) => code === 32 || code === 9;

function skipBlanks(text: string, start: number, end: number): number {
  let pos = start;
  while (pos < end && isBlank(text.charCodeAt(pos))) pos++;
  return pos;
}

/** HELP, TYPE and UNIT; returns the type of the family that begins. Other comments are passed over. */
function parseComment(comment: string, format: ExpositionFormat, handler: ExpositionHandler): MetricType | undefined {
  const match = /^#[ \t]+(HELP|TYPE|UNIT)[ \t]+("(?:[^"\\]|\\.)*"|\S+)(?:[ \t](.*))?$/.exec(comment);
  if (!match) {
    if (format === "openmetrics") throw new ExpositionError(`invalid comment ${shown(comment)}`);
    return undefined;
  }
  const [, keyword, quoted = "", rest = ""] = match;
  const family = quoted.startsWith('"') ? unescape(quoted.slice(1, -1)) : quoted;
  if (keyword === "HELP") {
    const help = rest.replaceAll(format === "openmetrics" ? /\\([\\n"])/g : /\\([\\n])/g, (_, char) =>
      char === "n" ? "\n" : char,
    );
    handler.help(family, help);
    return undefined;
  }
  if (keyword === "UNIT") {
    if (format === "openmetrics") handler.unit(family, rest.trim());
    return undefined;
  }
  const type = Object.hasOwn(TYPES[format], rest.trim()) ? TYPES[format][rest.trim()] : undefined;
  if (!type) throw new ExpositionError(`invalid metric type ${shown(rest)}`);
  handler.type(family, type);
  return type;
}

function parseSample(
  text: string,
  start: number,
  end: number,
  openMetrics: boolean,
  type: MetricType,
  handler: ExpositionHandler,
): void {
  const seriesEnd = endOfSeries(text, start, end);
  let pos = skipBlanks(text, seriesEnd, end);
  let next = endOfToken(text, pos, end);
  const value = parseValue(text.slice(pos, next));
  pos = skipBlanks(text, next, end);
  let timestampMs: number | undefined;
  if (pos < end && text.charCodeAt(pos) !== HASH) {
    next = endOfToken(text, pos, end);
    timestampMs = parseTimestamp(text.slice(pos, next), openMetrics);
    pos = skipBlanks(text, next, end);
  }
  let exemplar: ExpositionExemplar | undefined;
  if (pos < end) {
    if (!openMetrics || text.charCodeAt(pos) !== HASH)
      throw new ExpositionError(`unexpected ${shown(text.slice(pos, end))}`);
    exemplar = parseExemplar(text, pos + 1, end);
  }
  handler.sample(text.slice(start, seriesEnd), value, timestampMs, exemplar, type);
}

/** Where name and labels end. */
function endOfSeries(text: string, start: number, end: number): number {
  let pos = start;
  while (pos < end) {
    const code = text.charCodeAt(pos);
    if (code === OPEN) return endOfBraces(text, pos, end);
    if (isBlank(code)) {
      const after = skipBlanks(text, pos, end);
      return text.charCodeAt(after) === OPEN && after < end ? endOfBraces(text, after, end) : pos;
    }
    pos++;
  }
  throw new ExpositionError(`no value after ${shown(text.slice(start, end))}`);
}

/** The place behind the brace that closes the one at `start`, minding quotes. */
function endOfBraces(text: string, start: number, end: number): number {
  let quoted = false;
  for (let pos = start + 1; pos < end; pos++) {
    const code = text.charCodeAt(pos);
    if (code === BACKSLASH && quoted) pos++;
    else if (code === QUOTE) quoted = !quoted;
    else if (code === CLOSE && !quoted) return pos + 1;
  }
  throw new ExpositionError(quoted ? "a quote is not closed" : "a brace is not closed");
}

function endOfToken(text: string, start: number, end: number): number {
  let pos = start;
  while (pos < end && !isBlank(text.charCodeAt(pos))) pos++;
  return pos;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A float as Go's ParseFloat takes it, without hexadecimal and underscores. */
function parseValue(text: string): number {
  if (NUMBER.test(text)) return Number(text);
  switch (text.toLowerCase()) {
    case "nan":
      return Number.NaN;
    case "inf":
    case "+inf":
    case "infinity":
    case "+infinity":
      return Infinity;
    case "-inf":
    case "-infinity":
      return -Infinity;
    default:
      throw new ExpositionError(text === "" ? "no value" : `invalid value ${shown(text)}`);
  }
}

/** Milliseconds in Prometheus' text, seconds in OpenMetrics. */
function parseTimestamp(text: string, openMetrics: boolean): number {
  if (openMetrics ? !NUMBER.test(text) : !/^-?\d+$/.test(text))
    throw new ExpositionError(`invalid timestamp ${shown(text)}`);
  const ms = openMetrics ? Math.round(Number(text) * 1000) : Number(text);
  if (!Number.isSafeInteger(ms)) throw new ExpositionError(`timestamp ${shown(text)} is out of range`);
  return ms;
}

function parseExemplar(text: string, start: number, end: number): ExpositionExemplar {
  const open = skipBlanks(text, start, end);
  if (text.charCodeAt(open) !== OPEN || open >= end)
    throw new ExpositionError("an exemplar begins with its labels in braces");
  const close = endOfBraces(text, open, end);
  const labels: Record<string, string> = {};
  readLabels(text.slice(open, close), labels);
  if (METRIC_NAME in labels) throw new ExpositionError("an exemplar has no metric name");
  const [value = "", timestamp, ...rest] = text
    .slice(close, end)
    .trim()
    .split(/[ \t]+/);
  if (rest.length > 0) throw new ExpositionError(`unexpected ${shown(rest.join(" "))}`);
  return {
    labels,
    value: parseValue(value),
    timestampMs: timestamp === undefined ? undefined : parseTimestamp(timestamp, true),
  };
}

const CLASSIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const NORMALISED: Partial<Record<MetricType, string>> = { histogram: "le", summary: "quantile" };

/**
 * The labels of a series' text, `__name__` among them. `le` of histograms and `quantile` of summaries are written as
 * OpenMetrics does (`1` → `1.0`), as Prometheus 3 stores them. Throws ExpositionError.
 */
export function parseSeries(series: string, type: MetricType): Record<string, string> {
  const labels: Record<string, string> = {};
  const open = series.indexOf("{");
  const name = (open < 0 ? series : series.slice(0, open)).trim();
  if (name !== "") {
    if (!CLASSIC_NAME.test(name)) throw new ExpositionError(`invalid metric name ${shown(name)}`);
    labels[METRIC_NAME] = name;
  }
  if (open >= 0) readLabels(series.slice(open), labels);
  if (labels[METRIC_NAME] === undefined) throw new ExpositionError(`no metric name in ${shown(series)}`);
  const bound = NORMALISED[type];
  const text = bound === undefined ? undefined : labels[bound];
  if (bound !== undefined && text !== undefined && NUMBER.test(text))
    labels[bound] = formatOpenMetricsFloat(Number(text));
  return labels;
}

/** A label or, in quotes alone, the metric name; sticky, so that nothing between two of them is passed over. */
const LABEL = /[ \t]*(?:([a-zA-Z_][a-zA-Z0-9_]*)|"((?:[^"\\]|\\.)*)")[ \t]*(?:=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*)?(,|$)/y;

/** Reads `{a="x", "b.c"="y"}` into the labels. */
function readLabels(braced: string, labels: Record<string, string>): void {
  const inner = braced.slice(1, -1);
  let pos = 0;
  while (pos < inner.length) {
    LABEL.lastIndex = pos;
    const match = LABEL.exec(inner);
    if (!match) {
      if (inner.slice(pos).trim() === "") return;
      throw new ExpositionError(`invalid labels at ${shown(inner.slice(pos))}`);
    }
    pos = LABEL.lastIndex;
    const [, bare, quoted, value] = match;
    const isName = value === undefined;
    if (isName && bare !== undefined) throw new ExpositionError(`label ${shown(bare)} has no value`);
    const name = isName ? METRIC_NAME : (bare ?? unescape(quoted ?? ""));
    if (Object.hasOwn(labels, name)) throw new ExpositionError(`label ${shown(name)} is given twice`);
    if (name === "" || name === "__proto__") throw new ExpositionError(`invalid label name ${shown(name)}`);
    labels[name] = unescape(isName ? (quoted ?? "") : value);
  }
}

function unescape(text: string): string {
  return text.includes("\\") ? text.replaceAll(/\\([\\"n])/g, (_, char: string) => (char === "n" ? "\n" : char)) : text;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
