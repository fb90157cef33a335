/** A duration for people: `840 µs`, `12.3 ms`, `1.24 s`, `2 m 05 s`, `3 h 10 m`, `2 d 04 h`. Takes milliseconds. */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "–";
  const size = Math.abs(ms);
  if (size === 0) return "0 ms";
  if (size < 1) return `${digits(ms * 1000)} µs`;
  if (size < 999.5) return `${digits(ms)} ms`;
  if (size < 59_950) return `${digits(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(seconds, 60, "m", 1, "s");
  if (seconds < 86_400) return pair(seconds, 3600, "h", 60, "m");
  return pair(seconds, 86_400, "d", 3600, "h");
}

function pair(seconds: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % big) / small);
  return `${Math.floor(seconds / big)} ${bigUnit} ${String(rest).padStart(2, "0")} ${smallUnit}`;
}

/** Three significant digits, no exponent: `0.12`, `1.24`, `12.3`, `123`, `1240`. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return trimZeros(size >= 10 ? value.toFixed(1) : value.toFixed(2));
}

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

const SCALES = [
  { at: 1e12, unit: "T" },
  { at: 1e9, unit: "G" },
  { at: 1e6, unit: "M" },
  { at: 1e4, by: 1e3, unit: "k" },
];

/** A number in little room: `0.0031`, `12.5`, `9,800` as `9800`, `12.3k`, `4.5M`. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "+∞" : "−∞";
  const size = Math.abs(value);
  const scale = SCALES.find(({ at }) => size >= at);
  if (scale !== undefined) return `${digits(value / (scale.by ?? scale.at))}${scale.unit}`;
  if (size === 0) return "0";
  if (size < 0.001) return value.toExponential(1);
  return size < 0.1 ? trimZeros(value.toPrecision(2)) : digits(value);
}

/** Per second: `12.3/s`; slow ones per minute: `4.2/min`. */
export function formatRate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined) return "–";
  if (perSecond === 0) return "0/s";
  return perSecond < 0.1 ? `${formatNumber(perSecond * 60)}/min` : `${formatNumber(perSecond)}/s`;
}

/** 0…1 as per cent: `0 %`, `0.42 %`, `12 %`. */
export function formatRatio(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined || Number.isNaN(ratio)) return "–";
  const percent = ratio * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.01) return "<0.01 %";
  return `${percent >= 10 ? percent.toFixed(0) : trimZeros(percent.toFixed(2))} %`;
}

/** `512 B`, `3.4 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${digits(value)} ${units[unit] ?? ""}`;
}
