import { z } from "zod";
import { LogItem } from "./logs.ts";
import { page } from "./common.ts";

export const TraceSummary = z.object({
  traceId: z.string(),
  rootService: z.string(),
  rootName: z.string(),
  /** RFC 3339 with milliseconds. */
  startTime: z.string(),
  durationMs: z.number(),
  spanCount: z.number(),
  errorCount: z.number(),
  services: z.array(z.string()),
});
export type TraceSummary = z.infer<typeof TraceSummary>;

/** `GET traces?q&from&to&limit&cursor`: newest first. `GET traces/:traceId` answers OTLP JSON instead. */
export const TracePage = page(TraceSummary).extend({
  /** How far back the search got (RFC 3339) when its time budget ended before the range did. */
  searchedTo: z.string().optional(),
});
export type TracePage = z.infer<typeof TracePage>;

/** `GET traces/:traceId/logs`: oldest first. */
export const TraceLogs = z.object({ items: z.array(LogItem) });
export type TraceLogs = z.infer<typeof TraceLogs>;
