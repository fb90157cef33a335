import { useElementSize } from "@mantine/hooks";
import { lazy, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormatTime } from "../format/time.ts";
import { SkeletonRows } from "../ui/panel.tsx";
import table from "../ui/table.module.css";
import { alignSeries, needsCanvas, type Series, summarise, topSeries } from "./series.ts";
import { dashOf, hueColour, huesOf } from "./series-colours.ts";
import classes from "./series-chart.module.css";
import { useBrush } from "./use-brush.ts";

const SvgChart = lazy(() => import("./svg-chart.tsx").then(({ SvgChart: Component }) => ({ default: Component })));
const CanvasChart = lazy(() =>
  import("./canvas-chart.tsx").then(({ CanvasChart: Component }) => ({ default: Component })),
);

/** Pixels left of the plot for the scale, and right of it for the last label. */
export const PLOT_INSETS = { left: 56, right: 12 };
const MOST_SERIES = 20;
const MOST_TABLE_ROWS = 500;

export interface Line {
  readonly series: Series;
  readonly colour: string;
  readonly dash: string | undefined;
}

export interface PlotProps {
  lines: readonly Line[];
  fromMs: number;
  toMs: number;
  width: number;
  height: number;
  format: (value: number) => string;
  threshold?: number | undefined;
}

/**
 * Lines over time with legend, brush zoom, a sentence that says what is to be seen, and a table instead at a press.
 * SVG for what SVG is good for, canvas beyond.
 */
export function SeriesChart({
  label,
  series,
  fromMs,
  toMs,
  format,
  height = 160,
  threshold,
  onZoom,
}: {
  label: string;
  series: readonly Series[];
  fromMs: number;
  toMs: number;
  format: (value: number) => string;
  height?: number;
  threshold?: number | undefined;
  onZoom?: (fromMs: number, toMs: number) => void;
}) {
  const { t } = useTranslation();
  const { ref, width } = useElementSize();
  const [all, setAll] = useState(false);
  const [asTable, setAsTable] = useState(false);
  const [off, setOff] = useState<ReadonlySet<string>>(new Set());
  const { shown, hidden } = useMemo(() => topSeries(series, all ? Infinity : MOST_SERIES), [series, all]);
  const lines = useMemo(() => linesOf(shown), [shown]);
  const visible = lines.filter(({ series: { id } }) => !off.has(id));
  const { drag, handlers } = useBrush(fromMs, toMs, onZoom ?? ignore, PLOT_INSETS);
  const Plot = needsCanvas(visible.map((line) => line.series)) ? CanvasChart : SvgChart;
  return (
    <figure className={classes["figure"]} aria-label={label}>
      {asTable ? (
        <PointTable lines={visible} format={format} height={height} label={label} />
      ) : (
        <div
          ref={ref}
          className={classes["plot"]}
          style={{ height }}
          data-zoom={onZoom !== undefined}
          aria-hidden="true"
          {...(onZoom === undefined ? {} : handlers)}
        >
          {width > 0 && (
            <Suspense fallback={<SkeletonRows rows={3} />}>
              <Plot
                lines={visible}
                fromMs={fromMs}
                toMs={toMs}
                width={width}
                height={height}
                format={format}
                threshold={threshold}
              />
            </Suspense>
          )}
          {drag !== undefined && <Brush {...drag} width={width} />}
        </div>
      )}
      <figcaption>
        <Legend
          lines={lines}
          off={off}
          format={format}
          onToggle={(id) => {
            const next = new Set(off);
            if (!next.delete(id)) next.add(id);
            setOff(next);
          }}
        />
        <div className={classes["foot"]}>
          <ChartSentence lines={visible} format={format} />
          {hidden > 0 && (
            <button type="button" onClick={() => setAll(true)}>
              {t("chart.more", { count: hidden })}
            </button>
          )}
          <button type="button" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            {asTable ? t("state.showChart") : t("state.showTable")}
          </button>
        </div>
      </figcaption>
    </figure>
  );
}

function ignore(): void {}

function linesOf(series: readonly Series[]): Line[] {
  const hues = huesOf(series.map(({ id }) => id));
  const byName = [...series].map(({ id }) => id).sort();
  return series.map((each) => ({
    series: each,
    colour: hueColour(hues.get(each.id) ?? 0),
    dash: dashOf(byName.indexOf(each.id)),
  }));
}

function Brush({ start, end, width }: { start: number; end: number; width: number }) {
  const inner = width - PLOT_INSETS.left - PLOT_INSETS.right;
  return (
    <span
      className={classes["brush"]}
      style={{ left: PLOT_INSETS.left + Math.min(start, end) * inner, width: Math.abs(end - start) * inner }}
    />
  );
}

function Legend({
  lines,
  off,
  format,
  onToggle,
}: {
  lines: readonly Line[];
  off: ReadonlySet<string>;
  format: (value: number) => string;
  onToggle: (id: string) => void;
}) {
  return (
    <ul className={classes["legend"]}>
      {lines.map(({ series, colour, dash }) => {
        const summary = summarise(series);
        return (
          <li key={series.id}>
            <button type="button" aria-pressed={!off.has(series.id)} onClick={() => onToggle(series.id)}>
              <svg width="18" height="8" aria-hidden="true">
                <line x1="0" x2="18" y1="4" y2="4" stroke={colour} strokeWidth="2" strokeDasharray={dash} />
              </svg>
              <span>{series.label}</span>
              {summary !== undefined && <span className="dim">{format(summary.last)}</span>}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** What the chart shows, for those who do not see it and those in a hurry. */
function ChartSentence({ lines, format }: { lines: readonly Line[]; format: (value: number) => string }) {
  const { t } = useTranslation();
  const time = useFormatTime();
  const peaks = lines.flatMap(({ series }) => {
    const summary = summarise(series);
    return summary === undefined ? [] : [{ label: series.label, ...summary }];
  });
  if (peaks.length === 0) return <span className="dim">{t("chart.nothing")}</span>;
  const peak = peaks.reduce((best, each) => (each.max > best.max ? each : best));
  return (
    <span className="dim">
      {t("chart.peak", { label: peak.label, max: format(peak.max), time: time(peak.maxAt), last: format(peak.last) })}
    </span>
  );
}

function PointTable({
  lines,
  format,
  height,
  label,
}: {
  lines: readonly Line[];
  format: (value: number) => string;
  height: number;
  label: string;
}) {
  const { t } = useTranslation();
  const time = useFormatTime();
  const { times, values } = useMemo(() => alignSeries(lines.map(({ series }) => series)), [lines]);
  const rows = times
    .map((at, row) => ({ at, row }))
    .slice(-MOST_TABLE_ROWS)
    .toReversed();
  return (
    <div className={classes["table"]} style={{ height }} tabIndex={0} role="region" aria-label={label}>
      <table className={table["table"]}>
        <thead>
          <tr>
            <th>{t("chart.time")}</th>
            {lines.map(({ series }) => (
              <th key={series.id} className={table["num"]}>
                {series.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ at, row }) => (
            <tr key={at}>
              <td className="mono">{time(at, "dateTime")}</td>
              {lines.map(({ series }, column) => {
                const value = values[column]?.[row] ?? null;
                return (
                  <td key={series.id} className={table["num"]}>
                    {value === null ? "–" : format(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
