import { z } from "zod";

/** `GET inbox` */
export const InboxItem = z.object({
  id: z.string(),
  kind: z.enum(["email", "webhook"]),
  receivedAt: z.string(),
  /** The mail's recipients, or the webhook's path. */
  to: z.string(),
  subject: z.string(),
  /** The mail's text part, or the webhook's body. */
  body: z.string(),
});
export type InboxItem = z.infer<typeof InboxItem>;
export const InboxPage = z.object({ items: z.array(InboxItem) });
export type InboxPage = z.infer<typeof InboxPage>;

/** `GET inbox/:id` */
export const InboxDetail = InboxItem.extend({
  html: z.string().nullable(),
  headers: z.array(z.object({ name: z.string(), value: z.string() })),
});
export type InboxDetail = z.infer<typeof InboxDetail>;

/** One knob of a sample service's fault panel (`GET /faults` of the service). */
export const Fault = z.object({
  name: z.string(),
  description: z.string(),
  active: z.boolean(),
  /** Numbers that shape the fault, e.g. `{ "ms": 1500, "ratio": 0.8 }`. */
  params: z.record(z.string(), z.number()),
});
export type Fault = z.infer<typeof Fault>;

/** `GET faults`; `PUT faults/:service/:name` takes `{ active, params? }`. */
export const FaultList = z.object({ items: z.array(Fault.extend({ service: z.string() })) });
export type FaultList = z.infer<typeof FaultList>;

export const DrillStep = z.object({
  name: z.enum(["injected", "seen", "pending", "firing", "sent", "unbroken", "resolved"]),
  /** RFC 3339; null while it has not happened. */
  at: z.string().nullable(),
  /** Milliseconds since the injection, or since the undoing for the steps after it. */
  elapsedMs: z.number().nullable(),
  detail: z.string(),
});
export type DrillStep = z.infer<typeof DrillStep>;

export const DrillRun = z.object({
  id: z.string(),
  drill: z.string(),
  state: z.enum(["breaking", "sent", "resolving", "done", "failed"]),
  startedAt: z.string(),
  error: z.string().optional(),
  steps: z.array(DrillStep),
  /** Inbox ids of the messages that arrived. */
  messages: z.array(z.string()),
});
export type DrillRun = z.infer<typeof DrillRun>;

/** `GET drills`; `POST drills/:name` breaks (202, DrillRun), `GET drills/:name` is its last run, `DELETE drills/:name` unbreaks. */
export const DrillList = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      description: z.string(),
      service: z.string(),
      alert: z.string(),
      run: DrillRun.nullable(),
    }),
  ),
});
export type DrillList = z.infer<typeof DrillList>;
