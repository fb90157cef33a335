import { MATCH_ALL } from "@tocsin/model";
import { spanIndexPlan } from "../search/index-plan.ts";
import { Scan } from "../search/scan.ts";
import type { SpanReading } from "../spans/trace-queries.ts";
import type { EdgeRow, EdgeRows } from "../trace-store.ts";
import type { TimeRange } from "../log-store.ts";
import { DurationSketch } from "./duration-sketch.ts";

const SERVER = 2;
const CONSUMER = 5;
const ERROR = 2;

/** So many of the newest spans are joined at most, to bound memory; rates are then of the time they cover. */
const MAX_SPANS = 500_000;

interface Edge {
  source: string;
  target: string;
  kind: EdgeRow["kind"];
  count: number;
  errors: number;
  durations: DurationSketch;
}

/** A request served; `Id` is what tells spans apart. */
export interface Call<Id> {
  service: string;
  parent: Id;
  durationMs: number;
  failed: boolean;
}

/** A client or producer span that names its peer: an edge of its own unless the peer's own span was received. */
export interface OutCall<Id> {
  service: string;
  spanId: Id;
  peer: { kind: "database" | "queue" | "external"; name: string };
  durationMs: number;
  failed: boolean;
}

/**
 * Who calls whom, from spans of the range: a server span whose parent belongs to another service is a call between
 * the two; a client span without such a child is a call to the peer it names.
 */
export function edgeRows(range: TimeRange, reading: SpanReading): EdgeRows {
  const serviceOfSpan = new Map<number, string>();
  const served: Call<number>[] = [];
  const outgoing: OutCall<number>[] = [];
  const { files, cache, deadline } = reading;
  const scan = new Scan({ files, cache, deadline, ...range, query: MATCH_ALL, plan: spanIndexPlan(MATCH_ALL) });
  let searchedToMs: number | undefined;
  for (const { block, mask, restMs } of scan.hits()) {
    const { span, parent } = block.ids();
    for (let i = 0; i < mask.length; i++) {
      if (mask[i] === 0) continue;
      const spanId = idKey(span, i);
      const service = block.service(i);
      serviceOfSpan.set(spanId, service);
      const durationMs = block.durationMs[i] as number;
      const failed = block.statuses[i] === ERROR;
      const kind = block.kinds[i];
      const peer = block.peers[(block.peerRows[i] as number) - 1];
      if (kind === SERVER || kind === CONSUMER) {
        served.push({ service, parent: idKey(parent, i), durationMs, failed });
      } else if (peer) outgoing.push({ service, spanId, peer, durationMs, failed });
    }
    if (serviceOfSpan.size < MAX_SPANS || restMs < range.fromMs) continue;
    searchedToMs = restMs;
    break;
  }
  reading.damaged.push(...scan.damaged);
  searchedToMs ??= scan.stoppedAtMs;
  const edges = joinCalls(serviceOfSpan, served, outgoing);
  return { edges, ...(searchedToMs !== undefined && { searchedToMs }) };
}

/** 53 of the 64 bits of a span id: enough to tell the spans of one answer apart, and quick as a Map key. */
const idKey = (ids: Buffer, row: number): number =>
  ids.readUInt32LE(row * 8) * 0x200000 + (ids.readUInt32LE(row * 8 + 4) >>> 11);

/** Calls between services, and calls out that no service answered. */
export function joinCalls<Id>(
  serviceOfSpan: ReadonlyMap<Id, string>,
  served: readonly Call<Id>[],
  outgoing: readonly OutCall<Id>[],
): EdgeRow[] {
  const edges = new Map<string, Edge>();
  const add = (source: string, target: string, kind: EdgeRow["kind"], durationMs: number, failed: boolean): void => {
    const key = `${source}\0${target}\0${kind}`;
    const edge = edges.get(key) ?? { source, target, kind, count: 0, errors: 0, durations: new DurationSketch() };
    edges.set(key, edge);
    edge.count++;
    if (failed) edge.errors++;
    edge.durations.add(durationMs);
  };
  const answered = new Set<Id>();
  for (const { service, parent, durationMs, failed } of served) {
    const caller = serviceOfSpan.get(parent);
    if (caller === undefined) continue;
    answered.add(parent);
    if (caller !== service) add(caller, service, "service", durationMs, failed);
  }
  for (const { service, spanId, peer, durationMs, failed } of outgoing) {
    if (!answered.has(spanId)) add(service, peer.name, peer.kind, durationMs, failed);
  }
  return [...edges.values()].map(({ durations, ...edge }) => ({ ...edge, p95Ms: durations.quantile(0.95) }));
}
