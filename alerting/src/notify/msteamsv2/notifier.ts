import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult, type SettleContext } from "../integration.ts";
import { Msteamsv2Config } from "./config.ts";

/** Power Automate flows, by adaptive card. */
export const msteamsv2 = defineIntegration<"msteamsv2", Msteamsv2Config>({
  name: "msteamsv2",
  config: Msteamsv2Config,
  defaults: `
{{- define "msteamsv2.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "msteamsv2.default.text" }}{{ template "__alert_lists_markdown" . }}{{ end }}
`,
  settle,
  templates: ({ title, text }) => ({ text: [title, text] }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

/** Alertmanager's one exception to "an own http_config replaces the global one": the proxy is still taken over. */
function settle(config: Msteamsv2Config, context: SettleContext): Msteamsv2Config {
  const { http_config: http } = settledHttp(config, context);
  const proxy =
    http.proxy_url ?? (http.proxy_from_environment === true ? undefined : context.global.http_config.proxy_url);
  return { ...config, http_config: { ...http, ...(proxy && { proxy_url: proxy }) } };
}

async function notify(config: Msteamsv2Config, call: HttpCall): Promise<NotifyResult> {
  const title = {
    type: "TextBlock",
    text: call.text(config.title),
    weight: "Bolder",
    size: "Medium",
    wrap: true,
    style: "heading",
    color: call.firing ? "Attention" : "Good",
  };
  const card = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.2",
    body: [title, { type: "TextBlock", text: call.text(config.text), wrap: true }],
    msteams: { width: "full" },
  };
  const attachment = { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card };
  const response = await call.send({
    url: await call.secret(config.webhook_url, config.webhook_url_file),
    json: { type: "message", attachments: [attachment] },
  });
  return httpOutcome(response);
}
