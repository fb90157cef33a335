import type { DecisionRecord } from "@tocsin/model";

/** Whether anybody was told of an alert, and on what grounds. */
export type Verdict =
  | { status: "sent"; record: Extract<DecisionRecord, { kind: "attempt" }> }
  | { status: "muted"; record: Extract<DecisionRecord, { kind: "muted" }> }
  | { status: "failing"; record: Extract<DecisionRecord, { kind: "attempt" }> }
  | { status: "waiting" }
  | { status: "unknown" };

/**
 * Reads it off the alert's decisions, newest first: of the mutes and attempts since it last began to fire, a mute or a
 * failure that is newer than the last message counts for more than that message.
 */
export function verdictOf(records: readonly DecisionRecord[]): Verdict {
  if (records.length === 0) return { status: "unknown" };
  const began = records.findIndex(
    (record) => record.kind === "evaluation" && record.from !== "firing" && record.to === "firing",
  );
  const since = began < 0 ? records : records.slice(0, began + 1);
  for (const record of since) {
    if (record.kind === "muted") return { status: "muted", record };
    if (record.kind === "attempt") return { status: record.outcome === "sent" ? "sent" : "failing", record };
  }
  return { status: "waiting" };
}
