const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const TERM = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/**
 * Reads a duration as Go's `time.ParseDuration` does (`1m30s`, `500ms`, `1.5h`, `-2s`, `0`): no days, weeks or years.
 * Returns milliseconds; throws an Error that says what is wrong.
 */
export function parseGoDuration(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0;
  TERM.lastIndex = 0;
  let ms = 0;
  let end = 0;
  for (let term = TERM.exec(body); term; term = TERM.exec(body)) {
    ms += Number(term[1]) * (UNIT_MS[term[2] as string] as number);
    end = TERM.lastIndex;
  }
  if (body === "" || end !== body.length)
    throw new Error(`not a valid Go duration: ${JSON.stringify(text)} (write it like 1m30s, 500ms or 2h)`);
  return sign * ms;
}

/** Prints milliseconds as Go prints a duration: `1h0m30s`, `1.5s`, `250ms`, `0s`. */
export function formatGoDuration(ms: number): string {
  if (ms === 0) return "0s";
  const sign = ms < 0 ? "-" : "";
  const abs = Math.abs(ms);
  if (abs < 1e-3) return `${sign}${Math.round(abs * 1e6)}ns`;
  if (abs < 1) return `${sign}${trim(abs * 1e3)}µs`;
  if (abs < 1000) return `${sign}${trim(abs)}ms`;
  const hours = Math.floor(abs / 3_600_000);
  const minutes = Math.floor((abs % 3_600_000) / 60_000);
  const seconds = `${trim((abs % 60_000) / 1000)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

const trim = (n: number) => String(Number(n.toFixed(9)));
