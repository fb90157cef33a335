import { z } from "zod";

export const ServiceSummary = z.object({
  name: z.string(),
  version: z.string(),
  /** Server spans per second over the range. */
  rate: z.number(),
  /** 0…1 */
  errorRatio: z.number(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  /** RFC 3339 */
  lastSeen: z.string(),
  /** starting: first data under a minute ago; silent: no data for 3 export intervals; gone: none for 15 minutes. */
  state: z.enum(["starting", "healthy", "degraded", "silent", "gone"]),
  /** Requests per second in equal steps over the range, oldest first. */
  sparkline: z.array(z.number()),
});
export type ServiceSummary = z.infer<typeof ServiceSummary>;

/** `GET services?from&to` */
export const ServiceList = z.object({
  items: z.array(ServiceSummary),
  /** RFC 3339: what is older was not counted, because the time budget ended first. */
  searchedTo: z.string().optional(),
});
export type ServiceList = z.infer<typeof ServiceList>;

const RedPoint = z.object({
  timeMs: z.number(),
  rate: z.number(),
  errorRatio: z.number(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
});

/** `GET services/:name?from&to` */
export const ServiceDetail = ServiceSummary.extend({
  /** RFC 3339: what is older was not counted, because the time budget ended first. */
  searchedTo: z.string().optional(),
  red: z.array(RedPoint),
  operations: z.array(
    z.object({
      name: z.string(),
      rate: z.number(),
      errorRatio: z.number(),
      p50Ms: z.number().nullable(),
      p95Ms: z.number().nullable(),
      p99Ms: z.number().nullable(),
    }),
  ),
});
export type ServiceDetail = z.infer<typeof ServiceDetail>;

/** `GET services/graph?from&to` */
export const ServiceGraph = z.object({
  nodes: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(["service", "external", "database", "queue"]),
      rate: z.number(),
      errorRatio: z.number(),
    }),
  ),
  edges: z.array(
    z.object({
      source: z.string(),
      target: z.string(),
      rate: z.number(),
      errorRatio: z.number(),
      p95Ms: z.number().nullable(),
    }),
  ),
  /** RFC 3339: rates of edges are of the time since then, because the time budget ended before the range did. */
  searchedTo: z.string().optional(),
});
export type ServiceGraph = z.infer<typeof ServiceGraph>;
