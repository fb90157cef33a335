import type { DecisionRecord } from "@tocsin/model";

/** A decision that was taken `count` times over, shown once: the newest, and when the series began. */
export interface FoldedDecision {
  readonly record: DecisionRecord;
  readonly count: number;
  readonly since: string;
}

/**
 * A group is looked at every few seconds, and mostly nothing comes of it. Records that say the same as a newer one are
 * folded into it, up to the next record that changed something. Newest first, in and out.
 */
export function foldDecisions(records: readonly DecisionRecord[]): FoldedDecision[] {
  const folded: { record: DecisionRecord; count: number; since: string }[] = [];
  let same = new Map<string, (typeof folded)[number]>();
  for (const record of records) {
    const key = routineKey(record);
    if (key === undefined) same = new Map();
    const newer = key === undefined ? undefined : same.get(key);
    if (newer !== undefined) {
      newer.count++;
      newer.since = record.at;
      continue;
    }
    const entry = { record, count: 1, since: record.at };
    folded.push(entry);
    if (key !== undefined) same.set(key, entry);
  }
  return folded;
}

/** What makes two routine records the same; undefined for those that changed something. */
function routineKey(record: DecisionRecord): string | undefined {
  switch (record.kind) {
    case "flush":
      return ["flush", record.groupKey, record.receiver, record.firing.join(), record.resolved.join()].join(" ");
    case "muted":
      return [
        "muted",
        record.groupKey,
        record.receiver,
        record.reason,
        record.by.join(),
        record.fingerprints.join(),
      ].join(" ");
    case "dedup":
      return record.notify ? undefined : ["dedup", record.groupKey, record.receiver, record.integration].join(" ");
    case "rule_error":
      return ["rule_error", record.file, record.group, record.rule, record.error].join(" ");
    case "evaluation":
    case "routed":
    case "attempt":
      return undefined;
  }
}

/** Two lists of records, each newest first, as one; a record in both comes once. */
export function mergeDecisions(a: readonly DecisionRecord[], b: readonly DecisionRecord[]): DecisionRecord[] {
  const byId = new Map([...a, ...b].map((record) => [record.id, record]));
  return [...byId.values()].sort((x, y) => Date.parse(y.at) - Date.parse(x.at) || Number(y.id) - Number(x.id));
}
