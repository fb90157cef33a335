const UNITS = { y: 365 * 86_400_000, w: 7 * 86_400_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const PATTERN = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const NAMES = Object.keys(UNITS) as (keyof typeof UNITS)[];

/**
 * Reads a Prometheus duration: `1h30m`, units y w d h m s ms, each at most once and in falling order, or `0`.
 * Returns milliseconds; throws an Error that says what is wrong. A year has 365 days.
 */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  const match = PATTERN.exec(text);
  if (text === "" || !match)
    throw new Error(`not a valid duration string: ${JSON.stringify(text)} (write it like 1h30m, 45s or 250ms)`);
  const ms = NAMES.reduce((sum, unit, i) => sum + Number(match[i + 1] ?? 0) * UNITS[unit], 0);
  if (ms > 292 * UNITS.y) throw new Error(`duration out of range: ${JSON.stringify(text)}`);
  return ms;
}

/** Prints milliseconds as Prometheus does: the largest units first, `0s` for nothing; years and weeks only when exact. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  let rest = Math.abs(ms);
  let text = ms < 0 ? "-" : "";
  for (const unit of NAMES) {
    const exactOnly = unit === "y" || unit === "w";
    if (exactOnly && rest % UNITS[unit] !== 0) continue;
    const count = Math.floor(rest / UNITS[unit]);
    if (count === 0) continue;
    text += `${count}${unit}`;
    rest -= count * UNITS[unit];
  }
  return text;
}
