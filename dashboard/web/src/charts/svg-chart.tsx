import { useMemo } from "react";
import { CartesianGrid, Line as RechartsLine, LineChart, ReferenceLine, Tooltip, XAxis, YAxis } from "recharts";
import { axisStyle, useFormatTime } from "../format/time.ts";
import { alignSeries } from "./series.ts";
import { type Line, PLOT_INSETS, type PlotProps } from "./series-chart.tsx";
import { PointTip } from "./point-tip.tsx";
import { timeTicks } from "./time-scale.ts";

const AXIS = { fontSize: 11, fill: "var(--tc-ink-2)" };

/** A few lines of a few hundred points, as SVG. */
export function SvgChart({ lines, fromMs, toMs, width, height, format, threshold }: PlotProps) {
  const time = useFormatTime();
  const rows = useMemo(() => {
    const { times, values } = alignSeries(lines.map(({ series }) => series));
    return times.map((at, row) => {
      const point: Record<string, number | null> = { at };
      for (const [index, column] of values.entries()) point[`s${index}`] = column[row] ?? null;
      return point;
    });
  }, [lines]);
  const style = axisStyle(toMs - fromMs);
  return (
    <LineChart
      width={width}
      height={height}
      data={rows}
      margin={{ top: 8, right: PLOT_INSETS.right, bottom: 0, left: 0 }}
      accessibilityLayer={false}
    >
      <CartesianGrid stroke="var(--tc-line)" vertical={false} />
      <XAxis
        dataKey="at"
        type="number"
        domain={[fromMs, toMs]}
        allowDataOverflow
        ticks={timeTicks(fromMs, toMs, Math.max(2, Math.floor(width / 90)))}
        tickFormatter={(at: number) => time(at, style)}
        tick={AXIS}
        tickLine={false}
        axisLine={{ stroke: "var(--tc-line)" }}
        height={22}
      />
      <YAxis
        width={PLOT_INSETS.left}
        domain={[lowest, "auto"]}
        tickFormatter={format}
        tick={AXIS}
        tickLine={false}
        axisLine={false}
        tickCount={height < 140 ? 3 : 5}
      />
      <Tooltip
        isAnimationActive={false}
        cursor={{ stroke: "var(--tc-line-strong)" }}
        content={<Tip lines={lines} format={format} />}
      />
      {threshold !== undefined && (
        <ReferenceLine y={threshold} stroke="var(--tc-critical)" strokeDasharray="4 3" ifOverflow="extendDomain" />
      )}
      {lines.map(({ series, colour, dash }, index) => (
        <RechartsLine
          key={series.id}
          dataKey={`s${index}`}
          stroke={colour}
          strokeWidth={1.5}
          {...(dash === undefined ? {} : { strokeDasharray: dash })}
          dot={series.points.length === 1 ? { r: 2.5, fill: colour, stroke: colour } : false}
          activeDot={{ r: 3 }}
          isAnimationActive={false}
          type="linear"
        />
      ))}
    </LineChart>
  );
}

/** Scales begin at zero unless something is below it. */
function lowest(dataMin: number): number {
  return Math.min(0, dataMin);
}

/** recharts adds what is under the pointer to the props it was made with. */
function Tip({
  lines,
  format,
  active,
  label,
  payload = [],
}: {
  lines: readonly Line[];
  format: (value: number) => string;
  active?: boolean;
  label?: number | string;
  payload?: readonly { dataKey?: unknown; value?: unknown }[];
}) {
  if (active !== true) return null;
  const valueOf = (index: number) => payload.find(({ dataKey }) => dataKey === `s${index}`)?.value;
  const values = lines.map((line, index) => {
    const value = valueOf(index);
    return { line, value: typeof value === "number" ? value : null };
  });
  return <PointTip at={Number(label)} format={format} values={values} />;
}
