import { z } from "zod";

/** `GET pipeline`: what went through each stage since start, by signal. */
export const PipelineStatus = z.object({
  signals: z.array(
    z.object({
      signal: z.enum(["logs", "traces", "metrics"]),
      received: z.number(),
      rejected: z.number(),
      queued: z.number(),
      written: z.number(),
      deadLettered: z.number(),
      dropped: z.record(z.string(), z.number()),
    }),
  ),
  /** RFC 3339 of the oldest record kept, by signal; null when empty. */
  oldest: z.record(z.string(), z.string().nullable()),
  bytes: z.number(),
});
export type PipelineStatus = z.infer<typeof PipelineStatus>;

/** `GET rejects`: the newest rejected or dead-lettered payloads. */
export const RejectList = z.object({
  items: z.array(
    z.object({
      at: z.string(),
      signal: z.string(),
      source: z.string(),
      reason: z.string(),
      bytes: z.number(),
      excerpt: z.string(),
    }),
  ),
});
export type RejectList = z.infer<typeof RejectList>;

/** `GET events` (SSE): event name `decision` carries a DecisionRecord, `drill` a DrillRun, `inbox` an InboxItem. */
export const EVENT_NAMES = ["decision", "drill", "inbox"] as const;
