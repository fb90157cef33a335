import { z } from "zod";

/** The body of `POST backtest`. Times as everywhere: RFC 3339, Unix seconds, `now-7d`. */
export const BacktestRequest = z.strictObject({
  rules: z
    .array(z.string().max(1024 * 1024))
    .min(1)
    .max(100)
    .optional()
    .describe("the texts of rule files; without them, the rules in force"),
  routing: z
    .string()
    .max(1024 * 1024)
    .optional()
    .describe("an alertmanager.yml's text; without it, the one in force"),
  from: z.string().default("now-7d"),
  to: z.string().default("now"),
  timeZone: z.string().default("UTC").describe("whose nights are counted: an IANA name"),
  silences: z.boolean().default(true).describe("whether the silences that the router knows of count"),
});
export type BacktestRequest = z.infer<typeof BacktestRequest>;

const Labels = z.record(z.string(), z.string());

/** One time that one alert fired. Times are RFC 3339. */
export const BacktestFiring = z.object({
  labels: Labels,
  /** Since when its condition held. */
  activeAt: z.string(),
  startsAt: z.string(),
  /** Null when it still fired at the end of the replay. */
  endsAt: z.string().nullable(),
  seconds: z.number(),
  /** The value with which it began to fire; null when that is not finite. */
  value: z.number().nullable(),
  /** The condition held at the first evaluation already: it may have begun earlier. */
  atStart: z.boolean(),
});
export type BacktestFiring = z.infer<typeof BacktestFiring>;

/** How much of what an alerting rule reads was there. */
export const BacktestHistory = z.object({
  /** When the first of its samples was, at a resolution of 5 minutes or more; null when there were none. */
  firstSampleAt: z.string().nullable(),
  /** Share of the time, 0 to 1, in which any of its selectors found samples. */
  share: z.number(),
  /** Selectors that never found a sample. */
  missing: z.array(z.string()),
});
export type BacktestHistory = z.infer<typeof BacktestHistory>;

export const BacktestRule = z.object({
  alert: z.string(),
  group: z.string(),
  file: z.string(),
  history: BacktestHistory,
  /** How often an alert of this rule fired. */
  firings: z.number(),
  /** How often one was pending and went away before its `for` was over. */
  pendingOnly: z.number(),
  /** Of all firings together, up to the end of the replay. */
  firingSeconds: z.number(),
  longestSeconds: z.number(),
  /** The first hundred, in order of their start. */
  first: z.array(BacktestFiring),
  errors: z.array(z.string()),
});
export type BacktestRule = z.infer<typeof BacktestRule>;

/** What one integration of one receiver would have been told. */
export const BacktestReceiver = z.object({
  receiver: z.string(),
  integration: z.string(),
  notifications: z.number(),
  /** Of them, between 22:00 and 07:00. */
  atNight: z.number(),
  reasons: z.record(z.string(), z.number()),
  /** When: the first thousand. */
  times: z.array(z.string()),
});
export type BacktestReceiver = z.infer<typeof BacktestReceiver>;

/** What was kept from a receiver, and by what. */
export const BacktestMute = z.object({
  receiver: z.string(),
  reason: z.string(),
  by: z.array(z.string()),
  /** Looks at a group with firing alerts that were muted, in whole or in part. */
  flushes: z.number(),
});
export type BacktestMute = z.infer<typeof BacktestMute>;

export const BacktestRun = z.object({
  rules: z.array(BacktestRule),
  receivers: z.array(BacktestReceiver),
  muted: z.array(BacktestMute),
});
export type BacktestRun = z.infer<typeof BacktestRun>;

export const BacktestAnswer = z.object({
  from: z.string(),
  to: z.string(),
  timeZone: z.string(),
  candidate: BacktestRun,
  /** The rules of the same names that are in force, replayed over the same time; null when there are none. */
  present: BacktestRun.nullable(),
  /** What the reader has to know to trust the numbers. */
  notes: z.array(z.string()),
});
export type BacktestAnswer = z.infer<typeof BacktestAnswer>;
