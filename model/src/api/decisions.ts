import { z } from "zod";
import { page } from "./common.ts";

const base = {
  id: z.string(),
  /** RFC 3339 with milliseconds. */
  at: z.string(),
  /** One sentence for people: what was decided and why. */
  sentence: z.string(),
};

/** One decision of the rule evaluator or the router. The fields say on what grounds. */
export const DecisionRecord = z.discriminatedUnion("kind", [
  z.object({
    ...base,
    kind: z.literal("evaluation"),
    rule: z.string(),
    group: z.string(),
    file: z.string(),
    fingerprint: z.string(),
    labels: z.record(z.string(), z.string()),
    from: z.enum(["inactive", "pending", "firing"]),
    to: z.enum(["inactive", "pending", "firing"]),
    value: z.number().nullable(),
  }),
  z.object({
    ...base,
    kind: z.literal("rule_error"),
    rule: z.string(),
    group: z.string(),
    file: z.string(),
    error: z.string(),
  }),
  z.object({
    ...base,
    kind: z.literal("routed"),
    fingerprint: z.string(),
    labels: z.record(z.string(), z.string()),
    /** One entry per matching route. */
    routes: z.array(z.object({ path: z.string(), receiver: z.string(), groupKey: z.string() })),
  }),
  z.object({
    ...base,
    kind: z.literal("flush"),
    groupKey: z.string(),
    receiver: z.string(),
    groupLabels: z.record(z.string(), z.string()),
    firing: z.array(z.string()),
    resolved: z.array(z.string()),
  }),
  z.object({
    ...base,
    kind: z.literal("muted"),
    groupKey: z.string(),
    receiver: z.string(),
    reason: z.enum(["silence", "inhibition", "mute_time_interval", "active_time_interval"]),
    /** Silence ids, inhibiting fingerprints, or interval names. */
    by: z.array(z.string()),
    fingerprints: z.array(z.string()),
  }),
  z.object({
    ...base,
    kind: z.literal("dedup"),
    groupKey: z.string(),
    receiver: z.string(),
    integration: z.string(),
    notify: z.boolean(),
    reason: z.string(),
    fingerprints: z.array(z.string()),
  }),
  z.object({
    ...base,
    kind: z.literal("attempt"),
    groupKey: z.string(),
    receiver: z.string(),
    integration: z.string(),
    attempt: z.number(),
    outcome: z.enum(["sent", "retry", "failed"]),
    durationMs: z.number(),
    error: z.string().optional(),
    fingerprints: z.array(z.string()),
    /** Milliseconds from the newest firing sample's time to acceptance, where known. */
    responseMs: z.number().optional(),
  }),
]);
export type DecisionRecord = z.infer<typeof DecisionRecord>;

/** `GET decisions?kind&fingerprint&groupKey&receiver&from&to&limit&cursor`: newest first. */
export const DecisionPage = page(DecisionRecord);
export type DecisionPage = z.infer<typeof DecisionPage>;
