/** The shortest decimal form without an exponent, as Go's `FormatFloat(v, 'f', -1, 64)`: `100`, `0.005`, `+Inf`. */
export function formatFloatPlain(value: number): string {
  const named = special(value);
  if (named !== undefined) return named;
  const [, sign = "", head = "", tail = "", exponent = "0"] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential()) ?? [];
  const digits = head + tail;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits.padEnd(point, "0");
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/**
 * A float as OpenMetrics writes it in `le` and `quantile`: always with a point or an exponent (`1.0`, `0.005`, `1e+06`),
 * so that the same bound is the same label whoever wrote it.
 */
export function formatOpenMetricsFloat(value: number): string {
  const named = special(value);
  if (named !== undefined) return named === "-0" ? "-0.0" : named;
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  if (value !== 0 && (Number(exponent) < -4 || Number(exponent) >= 6)) {
    return `${mantissa}e${exponent.replace(/^([+-])(\d)$/, "$10$2")}`;
  }
  const plain = formatFloatPlain(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return Object.is(value, -0) ? "-0" : undefined;
}
