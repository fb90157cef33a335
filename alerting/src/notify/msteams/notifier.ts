import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import { MsteamsConfig } from "./config.ts";

const RED = "8C1A1A";
const GREEN = "2DC72D";

/** Office 365 connectors, which Microsoft is retiring; `msteamsv2` speaks to what follows them. */
export const msteams = defineIntegration<"msteams", MsteamsConfig>({
  name: "msteams",
  config: MsteamsConfig,
  defaults: `
{{- define "msteams.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "msteams.default.summary" }}{{ template "__subject" . }}{{ end }}
{{- define "msteams.default.text" }}{{ template "__alert_lists_markdown" . }}{{ end }}
`,
  settle: (config, context) => ({ ...config, ...settledHttp(config, context) }),
  templates: ({ title, summary, text }) => ({ text: [title, summary, text] }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

async function notify(config: MsteamsConfig, call: HttpCall): Promise<NotifyResult> {
  const response = await call.send({
    url: await call.secret(config.webhook_url, config.webhook_url_file),
    json: {
      "@context": "http://schema.org/extensions",
      "@type": "MessageCard",
      type: "MessageCard",
      title: call.text(config.title),
      summary: call.text(config.summary),
      text: call.text(config.text),
      themeColor: call.firing ? RED : GREEN,
    },
  });
  return httpOutcome(response);
}
