import { holds, type NamedTimeInterval } from "../../mute/time-interval.ts";
import type { MuteStage } from "../pipeline.ts";

export type TimeIntervals = ReadonlyMap<string, NamedTimeInterval>;

/** Holds everything back while the route has active intervals and none of them holds. */
export function activeIntervalsStage(intervals: TimeIntervals): MuteStage {
  return ({ route, at }, alerts) => {
    const names = route.options.activeTimeIntervals;
    if (names.length === 0 || holding(intervals, names, at).length > 0) return { alerts };
    return {
      alerts: [],
      muted: { reason: "active_time_interval", by: names, alerts, because: `outside of ${names.join(", ")}` },
    };
  };
}

/** Holds everything back while one of the route's mute intervals holds. */
export function muteIntervalsStage(intervals: TimeIntervals): MuteStage {
  return ({ route, at }, alerts) => {
    const by = holding(intervals, route.options.muteTimeIntervals, at);
    if (by.length === 0) return { alerts };
    return {
      alerts: [],
      muted: { reason: "mute_time_interval", by, alerts, because: `muted during ${by.join(", ")}` },
    };
  };
}

function holding(intervals: TimeIntervals, names: readonly string[], at: number): string[] {
  return names.filter((name) => intervals.get(name)?.intervals.some((interval) => holds(interval, at)));
}
