import { serviceName, type Span } from "@tocsin/model";
import type { RedStats } from "../trace-store.ts";
import { DurationSketch } from "./duration-sketch.ts";

const SERVER = 2;
const CONSUMER = 5;
const ERROR = 2;

/** Whether a span is a request that its service served. */
export const isServed = (kind: number): boolean => kind === SERVER || kind === CONSUMER;
export const isFailed = (status: number): boolean => status === ERROR;

/** Operations beyond this many in one file are counted together. */
const MAX_OPERATIONS = 1000;
const OTHER_OPERATIONS = "(other)";

/** Requests being counted: how many, how many failed, how long they took. */
export class RedCounter {
  count = 0;
  errors = 0;
  readonly durations = new DurationSketch();

  add(durationMs: number, failed: boolean): void {
    this.count++;
    if (failed) this.errors++;
    this.durations.add(durationMs);
  }

  addCounted(count: number, errors: number, durations: Uint8Array): void {
    this.count += count;
    this.errors += errors;
    this.durations.addEncoded(durations);
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

export interface MinuteRed {
  minute: number;
  service: string;
  operation: string;
  counter: RedCounter;
}

/** The requests among spans by minute, service and operation; `known` grows to the operations named in the file. */
export function redByMinute(spans: readonly Span[], known: Set<string>): MinuteRed[] {
  const counts = new Map<string, MinuteRed>();
  for (const span of spans) {
    if (!isServed(span.kind)) continue;
    const minute = Number(span.startTimeUnixNano / 60_000_000_000n);
    const service = serviceName(span.resource);
    const operation = known.has(span.name) || known.size < MAX_OPERATIONS ? span.name : OTHER_OPERATIONS;
    known.add(operation);
    const key = `${minute}\0${service}\0${operation}`;
    const entry = counts.get(key) ?? { minute, service, operation, counter: new RedCounter() };
    counts.set(key, entry);
    entry.counter.add(Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6, isFailed(span.status.code));
  }
  return [...counts.values()];
}
