import type { DatabaseSync } from "node:sqlite";
import { serviceName, type LogRecord } from "@tocsin/model";
import { ROWS_PER_BLOCK } from "../blocks/block.ts";
import { effectiveTime, logRowTokens } from "../logs/log-block.ts";

const MINUTE_NANOS = 60_000_000_000n;

/** Indexes each log by its words, and counts logs by minute, service and severity number. */
export function summarizeLogs(db: DatabaseSync, serviceId: (name: string) => number) {
  const addTokens = db.prepare("INSERT INTO fts(rowid, tok) VALUES(?,?)");
  const count = db.prepare(
    "INSERT INTO roll(m, svc, lvl, n) VALUES(?,?,?,?) ON CONFLICT(m, svc, lvl) DO UPDATE SET n = n + excluded.n",
  );
  return (block: number, records: readonly LogRecord[]): void => {
    records.forEach((record, i) => addTokens.run(block * ROWS_PER_BLOCK + i, logRowTokens(record)));
    for (const { minute, service, level, n } of countByMinute(records)) count.run(minute, serviceId(service), level, n);
  };
}

interface MinuteCount {
  minute: number;
  service: string;
  level: number;
  n: number;
}

function countByMinute(records: readonly LogRecord[]): Iterable<MinuteCount> {
  const counts = new Map<string, MinuteCount>();
  for (const record of records) {
    const minute = Number(effectiveTime(record) / MINUTE_NANOS);
    const service = serviceName(record.resource);
    const level = record.severityNumber;
    const key = `${minute}\0${level}\0${service}`;
    const entry = counts.get(key);
    if (entry) entry.n++;
    else counts.set(key, { minute, service, level, n: 1 });
  }
  return counts.values();
}
