import type { FastifyInstance } from "fastify";
import { TocsinError, type Clock } from "@tocsin/platform";
import type { InboxDetail, InboxPage } from "@tocsin/model";
import type { InboxStore } from "./inbox-store.ts";

/** Where webhooks for the inbox go; anything below it is taken too and shown as the message's `to`. */
export const INBOX_WEBHOOK_PATH = "/api/tocsin/v1/inbox/webhook";

export function inboxApi(app: FastifyInstance, { inbox, clock }: { inbox: InboxStore; clock: Clock }): void {
  app.get("/api/tocsin/v1/inbox", (): InboxPage => ({ items: inbox.list() }));
  app.get<{ Params: { id: string } }>("/api/tocsin/v1/inbox/:id", (request): InboxDetail => {
    const message = inbox.get(request.params.id);
    if (!message) throw new TocsinError("TOCSIN_NOT_FOUND", `there is no message ${request.params.id} in the inbox`);
    return message;
  });
  const take = async (request: { url: string; body: unknown; headers: object }) => {
    const headers = Object.entries(request.headers).map(([name, value]) => ({ name, value: String(value) }));
    inbox.add({
      kind: "webhook",
      to: request.url,
      subject: webhookSubject(request.body),
      body: JSON.stringify(request.body, null, 2),
      html: null,
      headers,
      receivedAtMs: clock.now(),
    });
    return { status: "ok" };
  };
  app.post(INBOX_WEBHOOK_PATH, take);
  app.post(`${INBOX_WEBHOOK_PATH}/*`, take);
}

/** `[FIRING:2] SmsDeliveryFailing` for Alertmanager's payload, else a plain word. */
function webhookSubject(body: unknown): string {
  if (typeof body !== "object" || body === null || !("status" in body)) return "webhook";
  const { status, alerts, commonLabels } = body as {
    status: unknown;
    alerts?: { status?: string }[];
    commonLabels?: Record<string, string>;
  };
  const firing = Array.isArray(alerts) ? alerts.filter((alert) => alert.status === "firing").length : 0;
  const head = status === "firing" ? `[FIRING:${firing}]` : `[${String(status).toUpperCase()}]`;
  return `${head} ${commonLabels?.["alertname"] ?? "several alerts"}`;
}
