import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import { truncateBytes } from "../truncate.ts";
import { WebexConfig } from "./config.ts";

const MAX_MESSAGE_BYTES = 7439;

export const webex = defineIntegration<"webex", WebexConfig>({
  name: "webex",
  config: WebexConfig,
  defaults: `
{{- define "webex.default.message" }}{{ .CommonAnnotations.SortedPairs.Values.Join " " }}
{{ template "__alert_lists" . }}{{ end }}
`,
  settle: (config, context) => ({
    ...config,
    ...settledHttp(config, context),
    api_url: config.api_url ?? context.global.webex_api_url,
  }),
  templates: ({ room_id, message }) => ({ text: [room_id, message] }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

async function notify(config: WebexConfig, call: HttpCall): Promise<NotifyResult> {
  const response = await call.send({
    url: config.api_url ?? "",
    json: {
      markdown: truncateBytes(call.text(config.message), MAX_MESSAGE_BYTES),
      roomId: call.text(config.room_id) || undefined,
    },
  });
  return httpOutcome(response);
}
