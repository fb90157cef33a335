import { MATCH_ALL, type Query } from "@tocsin/model";
import { spanIndexPlan } from "../search/index-plan.ts";
import { Scan } from "../search/scan.ts";
import type { SpanReading } from "../spans/trace-queries.ts";
import type { RedQuery, RedRow, RedStats } from "../trace-store.ts";
import { DurationSketch } from "./duration-sketch.ts";

const SERVER = 2;
const CONSUMER = 5;
const ERROR = 2;

class RedCounter {
  count = 0;
  errors = 0;
  readonly durations = new DurationSketch();

  add(durationMs: number, failed: boolean): void {
    this.count++;
    if (failed) this.errors++;
    this.durations.add(durationMs);
  }

  stats(): RedStats {
    const { count, errors, durations } = this;
    return {
      count,
      errors,
      p50Ms: durations.quantile(0.5),
      p95Ms: durations.quantile(0.95),
      p99Ms: durations.quantile(0.99),
    };
  }
}

const SERVED: Query = {
  op: "or",
  parts: ["server", "consumer"].map((value) => ({
    op: "field",
    field: { in: "known", name: "kind" },
    test: { kind: "equals", value },
  })),
};

/** Requests served, by service or by operation, over the range and in equal steps of it. */
export function redRows(query: RedQuery, reading: SpanReading): RedRow[] {
  const stepMs = (query.toMs - query.fromMs) / query.steps;
  const groups = new Map<string, { service: string; operation: string; total: RedCounter; steps: RedCounter[] }>();
  const groupOf = (service: string, operation: string) => {
    const key = `${service}\0${operation}`;
    const known = groups.get(key);
    if (known) return known;
    const steps = Array.from({ length: query.steps }, () => new RedCounter());
    const group = { service, operation, total: new RedCounter(), steps };
    groups.set(key, group);
    return group;
  };
  const wanted: Query = query.service === undefined ? MATCH_ALL : ofService(query.service);
  const plan = spanIndexPlan({ op: "and", parts: [SERVED, wanted] });
  const { files, cache, deadline } = reading;
  const scan = new Scan({ files, cache, deadline, fromMs: query.fromMs, toMs: query.toMs, query: MATCH_ALL, plan });
  for (const { block, mask } of scan.hits()) {
    for (let i = 0; i < mask.length; i++) {
      const kind = block.kinds[i];
      if (mask[i] === 0 || (kind !== SERVER && kind !== CONSUMER)) continue;
      const service = block.service(i);
      if (query.service !== undefined && service !== query.service) continue;
      const group = groupOf(service, query.by === "operation" ? block.text(i) : "");
      const durationMs = block.durationMs[i] as number;
      const failed = block.statuses[i] === ERROR;
      group.total.add(durationMs, failed);
      const step = Math.min(query.steps - 1, Math.floor(((block.ms[i] as number) - query.fromMs) / stepMs));
      group.steps[step]?.add(durationMs, failed);
    }
  }
  reading.damaged.push(...scan.damaged);
  return [...groups.values()].map(({ service, operation, total, steps }) => ({
    service,
    operation,
    ...total.stats(),
    steps: steps.map((step) => step.stats()),
  }));
}

const ofService = (service: string): Query => ({
  op: "field",
  field: { in: "known", name: "service" },
  test: { kind: "equals", value: service },
});
