import { useFormatTime } from "../format/time.ts";
import classes from "./series-chart.module.css";
import type { Line } from "./series-chart.tsx";

const MOST = 8;

/** The values under the pointer, greatest first. */
export function PointTip({
  at,
  values,
  format,
}: {
  at: number;
  values: readonly { line: Line; value: number | null | undefined }[];
  format: (value: number) => string;
}) {
  const time = useFormatTime();
  const present = values.flatMap(({ line, value }) => (value === null || value === undefined ? [] : [{ line, value }]));
  const sorted = present.sort((a, b) => b.value - a.value);
  return (
    <div className={classes["tooltip"]}>
      <span className="dim">{time(at, "dateTime")}</span>
      {sorted.slice(0, MOST).map(({ line, value }) => (
        <div key={line.series.id}>
          <i style={{ background: line.colour }} />
          {line.series.label}
          <b>{format(value)}</b>
        </div>
      ))}
      {sorted.length > MOST && <span className="dim">+{sorted.length - MOST}</span>}
    </div>
  );
}
