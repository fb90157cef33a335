import type { FastifyInstance } from "fastify";
import { tracesToJson, type Query, type TraceLogs, type TracePage } from "@tocsin/model";
import { parseRequest, TocsinError, type Clock } from "@tocsin/platform";
import { z } from "zod";
import type { TelemetryStore } from "../telemetry-store.ts";
import { clientGone } from "./client-gone.ts";
import { rfc3339 } from "./log-routes.ts";
import { isRange, rangeParameters, RANGE_MISTAKE, searchParameter, whole } from "./parameters.ts";

const MAX_TRACES = 200;
const MAX_TRACE_LOGS = 1000;
/** The last instant a Date can hold. */
const END_OF_TIME_MS = 8.64e15;

const TraceParams = z.object({
  traceId: z
    .string()
    .regex(/^[0-9a-fA-F]{32}$/, "a trace id has 32 hexadecimal digits")
    .toLowerCase(),
});

/** `traces`, `traces/:traceId`, `traces/:traceId/logs`. */
export function registerTraceRoutes(
  app: FastifyInstance,
  { store, clock }: { store: TelemetryStore; clock: Clock },
): void {
  const ListQuery = z
    .object({
      q: searchParameter("traces"),
      ...rangeParameters(clock),
      limit: whole(1, MAX_TRACES, 20),
      cursor: z.string().optional(),
    })
    .refine(isRange, RANGE_MISTAKE);

  app.get("/api/tocsin/v1/traces", async (request, reply): Promise<TracePage> => {
    const { q: query, from: fromMs, to: toMs, limit, cursor } = parseRequest(ListQuery, request.query);
    const asked = { query, fromMs, toMs, limit, ...(cursor !== undefined && { cursor }) };
    const page = await store.traces.search(asked, clientGone(reply));
    return {
      items: page.items,
      ...(page.cursor !== undefined && { cursor: page.cursor }),
      ...(page.searchedToMs !== undefined && { searchedTo: rfc3339(page.searchedToMs) }),
    };
  });

  app.get("/api/tocsin/v1/traces/:traceId", async (request, reply) => {
    const { traceId } = parseRequest(TraceParams, request.params);
    const spans = await store.traces.trace(traceId, clientGone(reply));
    if (spans.length === 0) throw new TocsinError("TOCSIN_NOT_FOUND", `no spans of trace ${traceId} are kept`);
    return tracesToJson(spans);
  });

  app.get("/api/tocsin/v1/traces/:traceId/logs", async (request, reply): Promise<TraceLogs> => {
    const { traceId } = parseRequest(TraceParams, request.params);
    const query: Query = {
      op: "field",
      field: { in: "known", name: "trace" },
      test: { kind: "equals", value: traceId },
    };
    const asked = { query, fromMs: 0, toMs: END_OF_TIME_MS, limit: MAX_TRACE_LOGS, order: "oldest" as const };
    const { items } = await store.logs.search(asked, clientGone(reply));
    return { items };
  });
}
