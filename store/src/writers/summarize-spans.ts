import type { DatabaseSync } from "node:sqlite";
import type { Span } from "@tocsin/model";
import { redByMinute } from "../services/red-counter.ts";

/** Counts requests served by minute, service and operation, with their durations. */
export function summarizeSpans(db: DatabaseSync, serviceId: (name: string) => number) {
  const addOperation = db.prepare(
    "INSERT INTO op(name) VALUES(?) ON CONFLICT(name) DO UPDATE SET name = name RETURNING id",
  );
  const find = db.prepare("SELECT n, err, dur FROM red WHERE m = ? AND svc = ? AND op = ?");
  const put = db.prepare("INSERT OR REPLACE INTO red(m, svc, op, n, err, dur) VALUES(?,?,?,?,?,?)");
  const operations = new Set((db.prepare("SELECT name FROM op").all() as { name: string }[]).map(({ name }) => name));
  return (_: number, spans: readonly Span[]): void => {
    for (const { minute, service, operation, counter } of redByMinute(spans, operations)) {
      const svc = serviceId(service);
      const { id: op } = addOperation.get(operation) as { id: number };
      const before = find.get(minute, svc, op) as { n: number; err: number; dur: Uint8Array } | undefined;
      if (before) counter.addCounted(before.n, before.err, before.dur);
      put.run(minute, svc, op, counter.count, counter.errors, counter.durations.encode());
    }
  };
}
