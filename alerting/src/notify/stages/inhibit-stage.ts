import type { FlushedAlert, Flush } from "../notification.ts";
import { alertTitle } from "../../decisions/recorder.ts";
import type { MuteStage } from "../pipeline.ts";
import type { Inhibitor } from "../../mute/inhibit.ts";

/** Takes out the alerts that others inhibit. */
export function inhibitStage(inhibitor: Inhibitor): MuteStage {
  return (flush: Flush, alerts: readonly FlushedAlert[]) => {
    const hits = alerts.map((alert) => inhibitor.mutes(alert.labels, flush.at));
    const first = hits.find((hit) => hit !== undefined);
    if (!first) return { alerts };
    const rule = first.rule.name === "" ? "" : ` (rule ${first.rule.name})`;
    return {
      alerts: alerts.filter((_, i) => hits[i] === undefined),
      muted: {
        reason: "inhibition",
        by: [...new Set(hits.flatMap((hit) => (hit ? [hit.fingerprint] : [])))],
        alerts: alerts.filter((_, i) => hits[i] !== undefined),
        because: `inhibited by ${alertTitle(first.source.labels)}${rule}`,
      },
    };
  };
}
