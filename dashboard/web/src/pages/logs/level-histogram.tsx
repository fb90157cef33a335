import type { LogHistogram } from "@tocsin/model";
import { useElementSize } from "@mantine/hooks";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useLogHistogram } from "../../api/logs.ts";
import { fractionOf, niceCeil, timeTicks } from "../../charts/time-scale.ts";
import { useBrush } from "../../charts/use-brush.ts";
import { formatNumber } from "../../format/quantity.ts";
import { axisStyle, useFormatTime } from "../../format/time.ts";
import { useShortcuts } from "../../keys/use-shortcuts.ts";
import { ErrorState } from "../../ui/panel.tsx";
import { SeverityMark } from "../../ui/severity-mark.tsx";
import type { Range } from "../../url/range.ts";
import { LEVEL_MARKS, levelTotals, stackBars } from "./level.ts";
import classes from "./level-histogram.module.css";
import { hasTerm, term } from "./search-terms.ts";

const HEIGHT = 72;
const PIXELS_PER_BAR = 9;

/** Records over time, stacked by level. A drag picks a stretch of time, a press on a level filters by it. */
export function LevelHistogram({
  q,
  range,
  text,
  onToggle,
  onZoom,
}: {
  q: string;
  range: Range;
  /** The search as typed, to mark the levels that are in it. */
  text: string;
  onToggle: (term: string) => void;
  onZoom: (fromMs: number, toMs: number) => void;
}) {
  const { t } = useTranslation();
  const { ref, width } = useElementSize();
  const bars = Math.max(20, Math.min(200, Math.floor(width / PIXELS_PER_BAR / 10) * 10));
  const histogram = useLogHistogram(q, range, bars);
  if (histogram.isError && histogram.data === undefined)
    return <ErrorState error={histogram.error} onRetry={() => void histogram.refetch()} />;
  return (
    <figure className={classes["figure"]} aria-label={t("logs.histogram")}>
      <div ref={ref} className={classes["plot"]}>
        {histogram.data !== undefined && width > 0 && <Bars data={histogram.data} width={width} onZoom={onZoom} />}
      </div>
      <figcaption>
        {levelTotals(histogram.data ?? EMPTY).map(({ level, count }) => {
          const wanted = term("severity", level);
          return (
            <button key={level} type="button" aria-pressed={hasTerm(text, wanted)} onClick={() => onToggle(wanted)}>
              <SeverityMark mark={LEVEL_MARKS[level]} text={t(`logs.level.${level}`)} />
              <span className="dim">{formatNumber(count)}</span>
            </button>
          );
        })}
        {histogram.data !== undefined && <Finding data={histogram.data} />}
      </figcaption>
    </figure>
  );
}

const EMPTY: LogHistogram = { fromMs: 0, toMs: 0, stepMs: 1, buckets: [] };

function Bars({
  data,
  width,
  onZoom,
}: {
  data: LogHistogram;
  width: number;
  onZoom: (fromMs: number, toMs: number) => void;
}) {
  const format = useFormatTime();
  const { fromMs, toMs, stepMs } = data;
  const { drag, handlers, cancel } = useBrush(fromMs, toMs, onZoom);
  useShortcuts([{ keys: "escape", label: "keys.close", scope: "page", run: cancel }], drag !== undefined);
  const stacked = useMemo(() => stackBars(data), [data]);
  const top = niceCeil(Math.max(1, ...stacked.map(({ total }) => total)));
  const x = (at: number) => fractionOf(at, fromMs, toMs) * width;
  const y = (count: number) => HEIGHT - (count / top) * HEIGHT;
  const barWidth = Math.max(1, (stepMs / (toMs - fromMs)) * width - 1);
  const style = axisStyle(toMs - fromMs);
  return (
    <>
      <svg width={width} height={HEIGHT + 18} aria-hidden="true" {...handlers}>
        <line x1={0} x2={width} y1={HEIGHT + 0.5} y2={HEIGHT + 0.5} className={classes["axis"]} />
        {stacked.map(({ startMs, total, parts }) => (
          <g key={startMs}>
            <title>{`${format(startMs)} – ${format(startMs + stepMs)}: ${total}`}</title>
            {parts.map(({ level, from, to }) => (
              <rect
                key={level}
                data-level={level}
                x={x(startMs)}
                width={barWidth}
                y={y(to)}
                height={Math.max(0.75, y(from) - y(to))}
              />
            ))}
          </g>
        ))}
        {timeTicks(fromMs, toMs, Math.max(2, Math.floor(width / 90))).map((at) => (
          <text
            key={at}
            x={x(at)}
            y={HEIGHT + 14}
            textAnchor={x(at) < 24 ? "start" : x(at) > width - 24 ? "end" : "middle"}
          >
            {format(at, style)}
          </text>
        ))}
        {drag !== undefined && (
          <rect
            className={classes["brush"]}
            x={Math.min(drag.start, drag.end) * width}
            width={Math.abs(drag.end - drag.start) * width}
            y={0}
            height={HEIGHT}
          />
        )}
      </svg>
      <span className={classes["top"]} aria-hidden="true">
        {formatNumber(top)}
      </span>
    </>
  );
}

/** What the chart shows, in a sentence. */
function Finding({ data }: { data: LogHistogram }) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const total = data.buckets.reduce((sum, bucket) => sum + bucket.total, 0);
  const peak = data.buckets.reduce((best, bucket) => (bucket.total > best.total ? bucket : best), {
    startMs: data.fromMs,
    total: 0,
  });
  return (
    <span className={classes["finding"]}>
      {total === 0
        ? t("logs.findingNone")
        : t("logs.finding", {
            count: total,
            shown: formatNumber(total),
            peak: formatNumber(peak.total),
            time: format(peak.startMs),
          })}
    </span>
  );
}
