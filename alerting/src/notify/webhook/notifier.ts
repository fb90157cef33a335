import { settleHttpConfig } from "../../config/http-client-config.ts";
import { checkUrl } from "../../config/fields.ts";
import { HttpClient, httpOutcome, networkFailure, secretOf } from "../http/http-client.ts";
import { defineIntegration, type Notifier, type NotifierDeps, type NotifyResult } from "../integration.ts";
import type { Notification } from "../notification.ts";
import { renderStructured, textsIn } from "../structured-value.ts";
import type { NotificationData } from "../template-data.ts";
import { escapeJson } from "../template-functions.ts";
import { WebhookConfig } from "./config.ts";
import { webhookPayload } from "./payload.ts";

export const webhook = defineIntegration<"webhook", WebhookConfig>({
  name: "webhook",
  config: WebhookConfig,
  settle: (config, { global, directory }) => ({
    ...config,
    http_config: config.http_config ? settleHttpConfig(config.http_config, directory) : global.http_config,
  }),
  templates: ({ url, payload }) => ({ text: [...(url ? [url.reveal()] : []), ...textsIn(payload)] }),
  create: (config, deps) => new WebhookNotifier(config, deps),
});

class WebhookNotifier implements Notifier {
  readonly #config: WebhookConfig;
  readonly #deps: NotifierDeps;
  readonly #client: HttpClient;

  constructor(config: WebhookConfig, deps: NotifierDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#client = new HttpClient(config.http_config ?? { follow_redirects: true, enable_http2: true }, deps);
  }

  async notify(notification: Notification, signal: AbortSignal): Promise<NotifyResult> {
    const { max_alerts: max } = this.#config;
    // Cut first: status and common labels are those of what is sent.
    const kept = max > 0 ? notification.alerts.slice(0, max) : notification.alerts;
    const data = this.#deps.templates.data({ ...notification, alerts: kept });
    const url = await this.#url(data);
    const body = this.#body(data, notification.groupKey, notification.alerts.length - kept.length);
    const deadline = deadlineOf(this.#config.timeout, signal);
    try {
      const response = await this.#client.send({
        method: "POST",
        url,
        headers: { "content-type": "application/json" },
        body,
        signal: deadline,
      });
      return httpOutcome(response);
    } catch (error) {
      return networkFailure(error);
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #url(data: NotificationData): Promise<string> {
    const { url, url_file } = this.#config;
    return checkUrl(url ? this.#deps.templates.text(url.reveal(), data).trim() : await secretOf(url_file));
  }

  #body(data: NotificationData, groupKey: string, truncated: number): string {
    const { payload } = this.#config;
    const value =
      payload === undefined || payload === null
        ? webhookPayload(data, groupKey, truncated)
        : renderStructured(payload, (template) => this.#deps.templates.text(template, data));
    return `${escapeJson(JSON.stringify(value))}\n`;
  }
}

function deadlineOf(timeoutMs: number | undefined, signal: AbortSignal): AbortSignal {
  return timeoutMs === undefined || timeoutMs === 0
    ? signal
    : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
}
