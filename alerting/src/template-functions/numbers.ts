import { GoDuration, goFunction, GoTime, goTypes, type GoValue, sprintf, typeName } from "@tocsin/gotemplate";

const { any } = goTypes;
const MAX_INT64 = 2 ** 63;

/** A number, numeric string or duration (in seconds) as a float; throws an Error worded like Prometheus'. */
function toFloat(value: GoValue): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "string") return parseGoFloat(value);
  if (value instanceof GoDuration) return value.seconds;
  throw new Error(`can't convert ${typeName(value)} to float`);
}

function parseGoFloat(text: string): number {
  const special = /^([+-]?)(?:(inf|infinity)|nan)$/i.exec(text);
  if (special !== null) {
    if (special[2] === undefined) return Number.NaN;
    return special[1] === "-" ? -Infinity : Infinity;
  }
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text))
    throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  const number = Number(text);
  if (!Number.isFinite(number))
    throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: value out of range`);
  return number;
}

const LARGE = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const SMALL = ["m", "u", "n", "p", "f", "a", "z", "y"];

function scaled(value: number, base: number, prefixes: readonly string[], up: boolean): string {
  let rest = value;
  let prefix = "";
  for (const next of prefixes) {
    if (up ? Math.abs(rest) < base : Math.abs(rest) >= 1) break;
    prefix = next;
    rest = up ? rest / base : rest * base;
  }
  return sprintf("%.4g%s", rest, prefix);
}

/** Four digits with k, M, … above a thousand and m, u, … below one. */
export const humanize = goFunction([any], (value) => {
  const v = toFloat(value);
  if (v === 0 || !Number.isFinite(v)) return sprintf("%.4g", v);
  return Math.abs(v) >= 1 ? scaled(v, 1000, LARGE, true) : scaled(v, 1000, SMALL, false);
});

export const humanize1024 = goFunction([any], (value) => {
  const v = toFloat(value);
  if (Math.abs(v) <= 1 || !Number.isFinite(v)) return sprintf("%.4g", v);
  return scaled(
    v,
    1024,
    LARGE.map((prefix) => `${prefix}i`),
    true,
  );
});

export const humanizePercentage = goFunction([any], (value) => sprintf("%.4g%%", toFloat(value) * 100));

/** Seconds as `1d 2h 3m 4s`, `12.3s`, `4.5ms`. */
export const humanizeDuration = goFunction([any], (value) => {
  const v = toFloat(value);
  if (!Number.isFinite(v)) return sprintf("%.4g", v);
  if (v === 0) return "0s";
  if (Math.abs(v) < 1) return `${scaled(v, 1000, SMALL, false)}s`;
  const sign = v < 0 ? "-" : "";
  const whole = Math.trunc(Math.abs(v));
  const [days, hours, minutes, seconds] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  if (days !== 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours !== 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  if (minutes !== 0) return `${sign}${minutes}m ${seconds}s`;
  return sprintf("%s%.4gs", sign, Math.abs(v));
});

/** Unix seconds as Go prints a time. */
export const humanizeTimestamp = goFunction([any], (value) => {
  const v = toFloat(value);
  return Number.isFinite(v) ? timeOf(v).toString() : sprintf("%.4g", v);
});

/** Unix seconds as a time. */
export const toTime = goFunction([any], (value) => {
  const v = toFloat(value);
  if (!Number.isFinite(v)) throw new Error("value is NaN or Inf");
  return timeOf(v);
});

/** Seconds as a duration. */
export const toDuration = goFunction([any], (value) => {
  const v = toFloat(value);
  if (!Number.isFinite(v)) throw new Error("value is NaN or Inf");
  const nanos = v * 1e9;
  if (Math.abs(nanos) >= MAX_INT64)
    throw new Error(sprintf("%v cannot be represented as a nanoseconds duration since it overflows int64", v));
  return new GoDuration(BigInt(Math.trunc(nanos)));
});

/** In whole milliseconds, as Prometheus keeps time. */
function timeOf(seconds: number): GoTime {
  const nanos = seconds * 1e9;
  if (Math.abs(nanos) >= MAX_INT64)
    throw new Error(sprintf("%v cannot be represented as a nanoseconds timestamp since it overflows int64", seconds));
  return new GoTime((BigInt(Math.trunc(nanos)) / 1_000_000n) * 1_000_000n);
}
