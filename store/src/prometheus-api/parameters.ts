import { CompiledMatcher, type Matcher, parseDuration, type UnixMs } from "@tocsin/model";
import { ParseError, parseSelector } from "@tocsin/promql";
import { errorMessage } from "@tocsin/platform";
import type { FastifyRequest } from "fastify";
import type { LabelScope } from "../metrics/metric-store.ts";
import { ApiError, invalidParameter } from "./api-error.ts";

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
/** The ends of Prometheus' time, which clients send to mean "all". */
const MIN_TIME = "-292273086-05-16T16:47:06Z";
const MAX_TIME = "292277025-08-18T07:12:54.999999999Z";
const MAX_DURATION_MS = 2 ** 63 / 1e6;
/** Farther away no double tells milliseconds apart. */
const FARTHEST_MS = 2 ** 53 - 1;

/** The parameters of a request: those of the form body first, then those of the URL, as Go merges them. */
export class Parameters {
  readonly #form: URLSearchParams;

  constructor(request: FastifyRequest) {
    const url = new URLSearchParams(request.raw.url?.split("?").slice(1).join("?") ?? "");
    const body = typeof request.body === "string" ? [...new URLSearchParams(request.body)] : [];
    this.#form = new URLSearchParams([...body, ...url]);
  }

  /** The first value; empty when there is none. */
  text(name: string): string {
    return this.#form.get(name) ?? "";
  }

  all(name: string): string[] {
    return this.#form.getAll(name);
  }

  /** A time that must be there. */
  time(name: string): UnixMs {
    return parseTime(this.text(name), (reason) => invalidParameter(name, reason));
  }

  timeOr(name: string, fallback: UnixMs): UnixMs {
    const text = this.text(name);
    if (text === "") return fallback;
    return parseTime(text, (reason) => invalidParameter(name, `invalid time value for '${name}': ${reason}`));
  }

  duration(name: string): number {
    return parseDurationMs(this.text(name), (reason) => invalidParameter(name, reason));
  }

  durationOr(name: string): number | undefined {
    return this.text(name) === "" ? undefined : this.duration(name);
  }

  /** A whole number from 0; 0, which means no limit, when it is missing. */
  limit(): number {
    const text = this.text("limit");
    if (text === "") return 0;
    if (!/^[+-]?\d+$/.test(text))
      throw invalidParameter("limit", `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    const limit = Number(text);
    if (limit < 0) throw invalidParameter("limit", "limit must be non-negative");
    return limit;
  }

  /** `start`, `end` and `match[]` of the label endpoints. */
  scope(): LabelScope {
    const fromMs = this.timeOr("start", -Infinity);
    const toMs = this.timeOr("end", Infinity);
    return { fromMs, toMs, matcherSets: this.all("match[]").map(parseMatchers) };
  }

  /** How old a sample may be, when the query wants it otherwise. */
  lookbackMs(): number | undefined {
    const text = this.text("lookback_delta");
    if (text === "") return undefined;
    return parseDurationMs(
      text,
      (reason) => new ApiError("bad_data", `error parsing lookback delta duration: ${reason}`),
    );
  }
}

function parseTime(text: string, fail: (reason: string) => ApiError): UnixMs {
  if (FLOAT.test(text)) return Math.max(-FARTHEST_MS, Math.min(FARTHEST_MS, Math.round(Number(text) * 1000)));
  if (RFC3339.test(text)) {
    const ms = Date.parse(text);
    if (!Number.isNaN(ms)) return ms;
  }
  if (text === MIN_TIME) return -FARTHEST_MS;
  if (text === MAX_TIME) return FARTHEST_MS;
  throw fail(`cannot parse ${JSON.stringify(text)} to a valid timestamp`);
}

function parseDurationMs(text: string, fail: (reason: string) => ApiError): number {
  if (FLOAT.test(text)) {
    const ms = Number(text) * 1000;
    if (Math.abs(ms) > MAX_DURATION_MS)
      throw fail(`cannot parse ${JSON.stringify(text)} to a valid duration. It overflows int64`);
    return Math.trunc(ms);
  }
  try {
    return parseDuration(text);
  } catch {
    throw fail(`cannot parse ${JSON.stringify(text)} to a valid duration`);
  }
}

function parseMatchers(text: string): Matcher[] {
  let matchers: Matcher[];
  try {
    ({ matchers } = parseSelector(text));
  } catch (error) {
    if (error instanceof ParseError) throw invalidParameter("match[]", error.message);
    throw error;
  }
  let restricting: boolean;
  try {
    restricting = matchers.some((matcher) => !new CompiledMatcher(matcher).matches(""));
  } catch (error) {
    throw invalidParameter("match[]", errorMessage(error));
  }
  if (!restricting) throw invalidParameter("match[]", "match[] must contain at least one non-empty matcher");
  return matchers;
}

/** `U__` names spell characters that old label names cannot have: `_2e_` is a dot, `__` an underscore. */
export function unescapeLabelName(name: string): string {
  if (!name.startsWith("U__")) return name;
  let plain = "";
  for (let rest = name.slice(3); rest !== "";) {
    const match = /^(?:__|_([0-9A-Fa-f]{1,6})_|[^_])/.exec(rest);
    if (!match) return name;
    const [whole, code] = match;
    const point = code === undefined ? undefined : Number.parseInt(code, 16);
    if (point !== undefined && (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))) return name;
    plain += whole === "__" ? "_" : point === undefined ? whole : String.fromCodePoint(point);
    rest = rest.slice(whole.length);
  }
  return plain;
}
