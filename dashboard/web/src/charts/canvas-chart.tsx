import "uplot/dist/uPlot.min.css";
import { useEffect, useMemo, useRef, useState } from "react";
import type uPlot from "uplot";
import { axisStyle, useFormatTime } from "../format/time.ts";
import { loadUplot } from "./load-uplot.ts";
import { PointTip } from "./point-tip.tsx";
import { alignSeries } from "./series.ts";
import classes from "./series-chart.module.css";
import { PLOT_INSETS, type PlotProps } from "./series-chart.tsx";

/** Many lines or many points, drawn on a canvas. */
export function CanvasChart({ lines, fromMs, toMs, width, height, format, threshold }: PlotProps) {
  const time = useFormatTime();
  const host = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState<{ row: number; left: number }>();
  const { times, values } = useMemo(() => alignSeries(lines.map(({ series }) => series)), [lines]);
  useEffect(() => {
    let chart: uPlot | undefined;
    let gone = false;
    void loadUplot().then((UPlot) => {
      if (gone || host.current === null) return;
      const css = getComputedStyle(host.current);
      const resolve = (value: string) => css.getPropertyValue(/--[\w-]+/.exec(value)?.[0] ?? "") || value;
      const axis = {
        stroke: resolve("--tc-ink-2"),
        font: `11px ${css.fontFamily}`,
        grid: { stroke: resolve("--tc-line"), width: 1 },
        ticks: { show: false },
      };
      const style = axisStyle(toMs - fromMs);
      const options: uPlot.Options = {
        width,
        height,
        legend: { show: false },
        padding: [8, PLOT_INSETS.right, 0, 0],
        cursor: { drag: { x: false, y: false }, points: { show: false } },
        scales: {
          x: { time: true, range: [fromMs / 1000, toMs / 1000] },
          y: {
            range: (_, least, most) => [Math.min(0, least ?? 0), Math.max(most ?? 1, threshold ?? -Infinity) * 1.05],
          },
        },
        axes: [
          { ...axis, grid: { show: false }, size: 22, values: (_, at) => at.map((each) => time(each * 1000, style)) },
          { ...axis, size: PLOT_INSETS.left, values: (_, at) => at.map(format) },
        ],
        series: [
          {},
          ...lines.map(({ colour, dash }) => ({
            stroke: resolve(colour),
            width: 1.25,
            points: { show: false },
            ...(dash === undefined ? {} : { dash: dash.split(" ").map(Number) }),
          })),
        ],
        hooks: {
          setCursor: [
            ({ cursor: { idx, left } }) =>
              setCursor(idx === null || idx === undefined ? undefined : { row: idx, left: left ?? 0 }),
          ],
        },
      };
      chart = new UPlot(options, [times.map((at) => at / 1000), ...values] as uPlot.AlignedData, host.current);
    });
    return () => {
      gone = true;
      chart?.destroy();
    };
  }, [lines, times, values, fromMs, toMs, width, height, format, threshold, time]);
  const at = cursor === undefined ? undefined : times[cursor.row];
  return (
    <>
      <div ref={host} />
      {cursor !== undefined && at !== undefined && (
        <div
          className={classes["canvasTip"]}
          style={
            cursor.left > width / 2
              ? { right: width - PLOT_INSETS.left - cursor.left + 12 }
              : { left: PLOT_INSETS.left + cursor.left + 12 }
          }
        >
          <PointTip
            at={at}
            format={format}
            values={lines.map((line, index) => ({ line, value: values[index]?.[cursor.row] }))}
          />
        </div>
      )}
    </>
  );
}
