import { createHash } from "node:crypto";
import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import type { Notification } from "../notification.ts";
import { truncateRunes } from "../truncate.ts";
import { SmsConfig } from "./config.ts";

/** Four parts of a text in Chinese. */
const MAX_RUNES = 280;

export const sms = defineIntegration<"sms", SmsConfig>({
  name: "sms",
  config: SmsConfig,
  defaults: `
{{- define "sms.default.message" }}{{ template "__subject" . }}{{ with .CommonAnnotations.summary }} {{ . }}{{ end }}{{ end }}
`,
  settle: (config, context) => ({ ...config, ...settledHttp(config, context) }),
  templates: ({ message }) => ({ text: [message] }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

/**
 * Tells each phone once: the message's id is the same in every attempt, and the service sends an id it has seen only
 * if it failed. All phones are tried even when one fails; what can be tried again decides.
 */
async function notify(config: SmsConfig, call: HttpCall): Promise<NotifyResult> {
  const text = truncateRunes(call.text(config.message), MAX_RUNES);
  const url = `${config.url.replace(/\/$/, "")}/messages`;
  const results: NotifyResult[] = [];
  for (const to of config.to) {
    const id = messageId(call.notification, to);
    results.push(httpOutcome(await call.send({ url, json: { id, to, template: "alert", text } }), [429]));
  }
  return (
    results.find(({ status }) => status === "retry") ??
    results.find(({ status }) => status === "failed") ?? { status: "sent" }
  );
}

function messageId({ groupKey, receiver, at }: Notification, to: string): string {
  return createHash("sha256")
    .update(JSON.stringify([groupKey, receiver, at, to]))
    .digest("hex")
    .slice(0, 32);
}
