import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import { renderStructured, textsIn } from "../structured-value.ts";
import { escapeJson } from "../template-functions.ts";
import { WebhookConfig } from "./config.ts";
import { webhookPayload } from "./payload.ts";

export const webhook = defineIntegration<"webhook", WebhookConfig>({
  name: "webhook",
  config: WebhookConfig,
  settle: (config, context) => ({ ...config, ...settledHttp(config, context) }),
  templates: ({ url, payload }) => ({ text: [...(url ? [url.reveal()] : []), ...textsIn(payload)] }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

async function notify({ url, url_file, payload }: WebhookConfig, call: HttpCall): Promise<NotifyResult> {
  const target = url ? call.text(url.reveal()).trim() : await call.secret(undefined, url_file);
  const value =
    payload === undefined || payload === null
      ? webhookPayload(call.data, call.notification.groupKey, call.truncatedAlerts)
      : renderStructured(payload, (template) => call.text(template));
  const response = await call.send({
    url: target,
    headers: { "content-type": "application/json" },
    body: `${escapeJson(JSON.stringify(value))}\n`,
  });
  return httpOutcome(response);
}
