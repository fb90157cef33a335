import { MATCH_ALL, type Query } from "@tocsin/model";
import { spanIndexPlan } from "../search/index-plan.ts";
import { MinuteCounts, MINUTE_MS } from "../search/minute-counts.ts";
import { Scan, type UnitFilter } from "../search/scan.ts";
import type { SpanReading } from "../spans/trace-queries.ts";
import type { RedQuery, RedRows } from "../trace-store.ts";
import { isFailed, isServed, RedCounter } from "./red-counter.ts";

const named = (name: "kind" | "service", value: string): Query => ({
  op: "field",
  field: { in: "known", name },
  test: { kind: "equals", value },
});
const SERVED: Query = { op: "or", parts: [named("kind", "server"), named("kind", "consumer")] };

/**
 * Requests served, by service or by operation, over the range and in equal steps of it. Whole minutes come from the
 * counts kept with each file when the steps are that long; a minute counts for the step its middle lies in.
 */
export function redRows(query: RedQuery, reading: SpanReading): RedRows {
  const groups = new RedGroups(query);
  const counts = new MinuteCounts(query);
  if (query.toMs - query.fromMs >= query.steps * MINUTE_MS) {
    counts.readFrom(reading, (file, from, to) => {
      for (const { m, service, operation, n, err, dur } of file.redMinutes(from, to, query.service)) {
        for (const counter of groups.at(service, operation, (m + 0.5) * MINUTE_MS)) counter.addCounted(n, err, dur);
      }
    });
  }
  const plan = spanIndexPlan(
    query.service === undefined ? SERVED : { op: "and", parts: [SERVED, named("service", query.service)] },
  );
  const { files, cache, deadline } = reading;
  const { fromMs, toMs } = query;
  const onlyUnit: UnitFilter = (unit, file) => !counts.hasAllOf(unit, file);
  const scan = new Scan({ files, cache, deadline, fromMs, toMs, query: MATCH_ALL, plan, onlyUnit });
  for (const { file, unit, block, mask } of scan.hits()) {
    for (let i = 0; i < mask.length; i++) {
      const ms = block.ms[i] as number;
      if (mask[i] === 0 || !isServed(block.kinds[i] as number) || counts.has(unit, file, ms)) continue;
      const service = block.service(i);
      if (query.service !== undefined && service !== query.service) continue;
      const failed = isFailed(block.statuses[i] as number);
      for (const counter of groups.at(service, block.text(i), ms)) counter.add(block.durationMs[i] as number, failed);
    }
  }
  reading.damaged.push(...scan.damaged);
  return { rows: groups.rows(), ...(scan.stoppedAtMs !== undefined && { searchedToMs: scan.stoppedAtMs }) };
}

class RedGroups {
  readonly #query: RedQuery;
  readonly #groups = new Map<string, { service: string; operation: string; total: RedCounter; steps: RedCounter[] }>();

  constructor(query: RedQuery) {
    this.#query = query;
  }

  /** What a request at this time counts for: its group and the step within. */
  at(service: string, name: string, ms: number): RedCounter[] {
    const { by, steps, fromMs, toMs } = this.#query;
    const operation = by === "operation" ? name : "";
    const key = `${service}\0${operation}`;
    let group = this.#groups.get(key);
    if (!group) {
      group = {
        service,
        operation,
        total: new RedCounter(),
        steps: Array.from({ length: steps }, () => new RedCounter()),
      };
      this.#groups.set(key, group);
    }
    const step = group.steps[Math.min(steps - 1, Math.floor(((ms - fromMs) / (toMs - fromMs)) * steps))];
    return step ? [group.total, step] : [group.total];
  }

  rows(): RedRows["rows"] {
    return [...this.#groups.values()].map(({ service, operation, total, steps }) => ({
      service,
      operation,
      ...total.stats(),
      steps: steps.map((step) => step.stats()),
    }));
  }
}
