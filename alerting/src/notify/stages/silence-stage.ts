import type { Silences } from "../../mute/silence.ts";
import { clockTime } from "../../decisions/recorder.ts";
import type { MuteStage } from "../pipeline.ts";

/** Takes out the alerts that an active silence matches. */
export function silenceStage(silences: Silences): MuteStage {
  return (flush, alerts) => {
    const hits = alerts.map((alert) => silences.mutes(alert.labels, flush.at));
    const by = [...new Set(hits.flat())];
    const [first] = by;
    if (first === undefined) return { alerts };
    const silence = silences.get(first);
    const until = silence ? ` until ${clockTime(silence.endsAt, flush.at)}: ${silence.comment || "no comment"}` : "";
    return {
      alerts: alerts.filter((_, i) => hits[i]?.length === 0),
      muted: {
        reason: "silence",
        by,
        alerts: alerts.filter((_, i) => (hits[i]?.length ?? 0) > 0),
        because: `silenced by ${silence?.createdBy || "somebody"}${until}`,
      },
    };
  };
}
