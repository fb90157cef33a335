import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { LogFacets, LogHistogram, LogPage, Query } from "@tocsin/model";
import { parseRequest, type Clock } from "@tocsin/platform";
import { z } from "zod";
import type { TelemetryStore } from "../telemetry-store.ts";
import { clientGone } from "./client-gone.ts";
import { exportLogs, EXPORT_FORMATS, MAX_EXPORTED } from "./log-export.ts";
import { isRange, rangeParameters, RANGE_MISTAKE, searchParameter, whole } from "./parameters.ts";

const MAX_PAGE = 1000;
const MAX_BUCKETS = 1000;
const MAX_FACET_FIELDS = 20;
const HEARTBEAT_MS = 15_000;

export const rfc3339 = (ms: number): string => new Date(ms).toISOString();

/** `logs`, `logs/histogram`, `logs/facets`, `logs/tail`, `logs/export`. */
export function registerLogRoutes(
  app: FastifyInstance,
  { store, clock }: { store: TelemetryStore; clock: Clock },
): void {
  const range = rangeParameters(clock);
  const search = { q: searchParameter("logs"), ...range };
  const ListQuery = z
    .object({
      ...search,
      limit: whole(1, MAX_PAGE, 100),
      cursor: z.string().optional(),
      order: z.enum(["newest", "oldest", "relevance"]).default("newest"),
    })
    .refine(isRange, RANGE_MISTAKE);
  const HistogramQuery = z.object({ ...search, buckets: whole(1, MAX_BUCKETS, 60) }).refine(isRange, RANGE_MISTAKE);
  const fields = z
    .string()
    .default("service,severity")
    .transform((text) => text.split(",").map((field) => field.trim()));
  const FacetQuery = z
    .object({
      ...search,
      fields: fields.pipe(z.array(z.string().min(1)).max(MAX_FACET_FIELDS)),
      top: whole(1, 100, 10),
    })
    .refine(isRange, RANGE_MISTAKE);
  const ExportQuery = z
    .object({
      ...search,
      limit: whole(1, MAX_EXPORTED, MAX_EXPORTED),
      format: z.enum(["jsonl", "csv"]).default("jsonl"),
    })
    .refine(isRange, RANGE_MISTAKE);
  const TailQuery = z.object({ q: search.q });

  app.get("/api/tocsin/v1/logs", async (request, reply): Promise<LogPage> => {
    const { q: query, from: fromMs, to: toMs, limit, cursor, order } = parseRequest(ListQuery, request.query);
    const asked = { query, fromMs, toMs, limit, order, ...(cursor !== undefined && { cursor }) };
    const page = await store.logs.search(asked, clientGone(reply));
    return {
      items: page.items,
      ...(page.cursor !== undefined && { cursor: page.cursor }),
      ...(page.searchedToMs !== undefined && { searchedTo: rfc3339(page.searchedToMs) }),
    };
  });

  app.get("/api/tocsin/v1/logs/histogram", async (request, reply): Promise<LogHistogram> => {
    const { q: query, from: fromMs, to: toMs, buckets } = parseRequest(HistogramQuery, request.query);
    const { searchedToMs, ...histogram } = await store.logs.histogram(
      { query, fromMs, toMs, buckets },
      clientGone(reply),
    );
    return { ...histogram, ...(searchedToMs !== undefined && { searchedTo: rfc3339(searchedToMs) }) };
  });

  app.get("/api/tocsin/v1/logs/facets", async (request, reply): Promise<LogFacets> => {
    const { q: query, from: fromMs, to: toMs, fields, top } = parseRequest(FacetQuery, request.query);
    const { facets, searchedToMs } = await store.logs.facets({ query, fromMs, toMs, fields, top }, clientGone(reply));
    return { facets, ...(searchedToMs !== undefined && { searchedTo: rfc3339(searchedToMs) }) };
  });

  app.get("/api/tocsin/v1/logs/tail", async (request, reply) => {
    const { q: query } = parseRequest(TailQuery, request.query);
    await streamTail(reply, query, store, clock);
  });

  app.get("/api/tocsin/v1/logs/export", async (request, reply) => {
    const { q: query, from: fromMs, to: toMs, limit, format } = parseRequest(ExportQuery, request.query);
    const { type, extension } = EXPORT_FORMATS[format];
    const lines = exportLogs(store.logs, { query, fromMs, toMs, limit, format }, clientGone(reply));
    return reply
      .type(type)
      .header("content-disposition", `attachment; filename="logs.${extension}"`)
      .send(Readable.from(lines));
  });
}

/**
 * Server-sent events: `log` carries a LogItem, `dropped` says how many records a slow client missed. A comment every
 * 15 s keeps proxies from closing the connection.
 */
async function streamTail(reply: FastifyReply, query: Query, store: TelemetryStore, clock: Clock): Promise<void> {
  const closed = clientGone(reply);
  const events = store.logs.tail(query, closed)[Symbol.asyncIterator]();
  reply.hijack();
  const out = reply.raw;
  out.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
  out.write(": connected\n\n");
  let heartbeat: Disposable;
  const beat = () => {
    out.write(": \n\n");
    heartbeat = clock.schedule(HEARTBEAT_MS, beat);
  };
  heartbeat = clock.schedule(HEARTBEAT_MS, beat);
  try {
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      const { items, dropped } = next.value;
      let text = items.map((item) => `event: log\nid: ${item.id}\ndata: ${JSON.stringify(item)}\n\n`).join("");
      if (dropped > 0) text += `event: dropped\ndata: ${JSON.stringify({ count: dropped })}\n\n`;
      if (!out.write(text)) await drained(out, closed);
    }
  } catch (error) {
    reply.log.warn({ err: error }, "live log view ended");
  } finally {
    heartbeat[Symbol.dispose]();
    out.end();
  }
}

/** While the client does not read, the subscription's own bounded queue fills and counts what it drops. */
function drained(out: FastifyReply["raw"], closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    out.once("drain", resolve);
    closed.addEventListener("abort", () => resolve(), { once: true });
  });
}
