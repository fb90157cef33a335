/** A line of values without axes, as high as the text beside it. Says nothing to screen readers; the numbers stand next to it. */
export function Sparkline({
  values,
  width = 96,
  height = 20,
  className,
}: {
  values: readonly number[];
  width?: number;
  height?: number;
  className?: string | undefined;
}) {
  return (
    <svg
      className={className}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      aria-hidden="true"
      preserveAspectRatio="none"
    >
      <path d={areaPath(values, width, height)} fill="var(--tc-accent)" fillOpacity="0.12" />
      <path d={linePath(values, width, height)} fill="none" stroke="var(--tc-accent)" strokeWidth="1.25" />
    </svg>
  );
}

/** The line from left to right with zero at the bottom and the greatest value at the top. */
export function linePath(values: readonly number[], width: number, height: number): string {
  if (values.length === 0) return "";
  const top = Math.max(...values, Number.MIN_VALUE);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const y = (value: number) => round(height - 1 - (Math.max(0, value) / top) * (height - 2));
  const first = values[0] ?? 0;
  if (values.length === 1) return `M0 ${y(first)}H${width}`;
  return values.map((value, i) => `${i === 0 ? "M" : "L"}${round(i * step)} ${y(value)}`).join("");
}

function areaPath(values: readonly number[], width: number, height: number): string {
  const line = linePath(values, width, height);
  return line === "" ? "" : `${line}L${width} ${height}L0 ${height}Z`;
}

const round = (value: number) => Math.round(value * 10) / 10;
