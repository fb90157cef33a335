import { z } from "zod";
import { page } from "./common.ts";

export const LogItem = z.object({
  /** Opaque, stable, unique; sorts with time within a store. */
  id: z.string(),
  /** RFC 3339 with milliseconds. */
  time: z.string(),
  timeUnixNano: z.string(),
  service: z.string(),
  severity: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "unset"]),
  severityNumber: z.number(),
  message: z.string(),
  attributes: z.record(z.string(), z.unknown()),
  resource: z.record(z.string(), z.unknown()),
  scope: z.string(),
  traceId: z.string(),
  spanId: z.string(),
});
export type LogItem = z.infer<typeof LogItem>;

/** `GET logs?q&from&to&limit&cursor&order=newest|oldest`: newest first unless told otherwise. */
export const LogPage = page(LogItem).extend({
  /** How far back the search got (RFC 3339) when its time budget ended before the range did. */
  searchedTo: z.string().optional(),
});
export type LogPage = z.infer<typeof LogPage>;

/** `GET logs/histogram?q&from&to&buckets` */
export const LogHistogram = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  stepMs: z.number(),
  buckets: z.array(z.object({ startMs: z.number(), total: z.number(), levels: z.record(z.string(), z.number()) })),
  /** RFC 3339: counts up to here are missing, because the time budget ended first. */
  searchedTo: z.string().optional(),
});
export type LogHistogram = z.infer<typeof LogHistogram>;

/** `GET logs/facets?q&from&to&fields=service,severity&top=10` */
export const LogFacets = z.object({
  facets: z.array(z.object({ field: z.string(), values: z.array(z.object({ value: z.string(), count: z.number() })) })),
  /** RFC 3339: what is older was not counted, because the time budget ended first. */
  searchedTo: z.string().optional(),
});
export type LogFacets = z.infer<typeof LogFacets>;
