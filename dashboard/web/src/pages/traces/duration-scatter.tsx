import type { TraceSummary } from "@tocsin/model";
import { useElementSize } from "@mantine/hooks";
import { useTranslation } from "react-i18next";
import { fractionOf, timeTicks } from "../../charts/time-scale.ts";
import { useBrush } from "../../charts/use-brush.ts";
import { formatMs } from "../../format/quantity.ts";
import { axisStyle, useFormatTime } from "../../format/time.ts";
import { useSpan } from "../../url/use-span.ts";
import classes from "./traces-page.module.css";

const HEIGHT = 100;
/** Room above the highest line for its label. */
const TOP = 14;

/** Each trace as a dot: when it began, how long it took (logarithmic), failed ones as crosses. A drag picks a time. */
export function DurationScatter({
  traces,
  whole,
  onZoom,
}: {
  traces: readonly TraceSummary[];
  /** Whether these are all the traces of the range; else the axis begins at the oldest. */
  whole: boolean;
  onZoom: (fromMs: number, toMs: number) => void;
}) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const { ref, width } = useElementSize();
  const asked = useSpan();
  const oldest = Math.min(...traces.map(({ startTime }) => Date.parse(startTime)));
  const fromMs = whole ? asked.fromMs : Math.max(asked.fromMs, oldest);
  const { toMs } = asked;
  const { drag, handlers } = useBrush(fromMs, toMs, onZoom);
  const durations = traces.map(({ durationMs }) => Math.max(0.01, durationMs));
  const low = Math.floor(Math.log10(Math.min(...durations)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...durations))));
  const y = (ms: number) => HEIGHT - 6 - ((Math.log10(Math.max(0.01, ms)) - low) / (high - low)) * (HEIGHT - 6 - TOP);
  const x = (at: number) => fractionOf(at, fromMs, toMs) * width;
  const failed = traces.filter(({ errorCount }) => errorCount > 0).length;
  const slowest = Math.max(...durations);
  return (
    <figure className={classes["scatter"]} aria-label={t("traces.scatter")}>
      <div ref={ref}>
        <svg width={width} height={118} aria-hidden="true" {...handlers}>
          {Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)).map((ms) => (
            <g key={ms}>
              <line x1={0} x2={width} y1={y(ms)} y2={y(ms)} />
              <text x={0} y={y(ms) - 2}>
                {formatMs(ms)}
              </text>
            </g>
          ))}
          {traces.map(({ traceId, startTime, durationMs, errorCount }) => {
            const cx = x(Date.parse(startTime));
            const cy = y(durationMs);
            return errorCount > 0 ? (
              <path key={traceId} className={classes["failed"]} d={cross(cx, cy)} />
            ) : (
              <circle key={traceId} className={classes["dot"]} cx={cx} cy={cy} r={3} />
            );
          })}
          {timeTicks(fromMs, toMs, Math.max(2, Math.floor(width / 90))).map((at) => (
            <text
              key={at}
              x={x(at)}
              y={HEIGHT + 16}
              textAnchor={x(at) < 24 ? "start" : x(at) > width - 24 ? "end" : "middle"}
            >
              {format(at, axisStyle(toMs - fromMs))}
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
      </div>
      <figcaption>{t("traces.finding", { count: traces.length, failed, slowest: formatMs(slowest) })}</figcaption>
    </figure>
  );
}

/** A cross around a point, as a filled outline. */
function cross(x: number, y: number): string {
  return `M${x - 4} ${y - 2.5}l1.5-1.5L${x} ${y - 1.5}l2.5-2.5l1.5 1.5L${x + 1.5} ${y}l2.5 2.5l-1.5 1.5L${x} ${y + 1.5}l-2.5 2.5l-1.5-1.5L${x - 1.5} ${y}z`;
}
