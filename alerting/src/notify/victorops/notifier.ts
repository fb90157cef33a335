import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult, type SettleContext } from "../integration.ts";
import { groupKeyHash } from "../notification.ts";
import { textsIn } from "../structured-value.ts";
import { truncateRunes } from "../truncate.ts";
import { VictoropsConfig } from "./config.ts";

const MAX_STATE_MESSAGE_RUNES = 20_480;
const FIRING_TYPES = ["INFO", "WARNING", "CRITICAL"];

export const victorops = defineIntegration<"victorops", VictoropsConfig>({
  name: "victorops",
  config: VictoropsConfig,
  defaults: `
{{- define "victorops.default.state_message" }}{{ .CommonAnnotations.SortedPairs.Values.Join " " }}
{{ template "__alert_lists" . }}{{ end }}
{{- define "victorops.default.entity_display_name" }}{{ template "__subject" . }}{{ end }}
{{- define "victorops.default.monitoring_tool" }}{{ template "__alertmanager" . }}{{ end }}
`,
  settle,
  templates: (config) => ({ text: textsIn(config) }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

function settle(config: VictoropsConfig, context: SettleContext): VictoropsConfig {
  const { global } = context;
  const url = config.api_url ?? global.victorops_api_url;
  const settled = {
    ...config,
    ...settledHttp(config, context),
    api_url: url.endsWith("/") ? url : `${url}/`,
    ...(config.api_key === undefined &&
      config.api_key_file === undefined && {
        api_key: global.victorops_api_key,
        api_key_file: global.victorops_api_key_file,
      }),
  };
  if (settled.api_key === undefined && settled.api_key_file === undefined)
    throw new Error("no api_key: set it here or victorops_api_key in global");
  return settled;
}

async function notify(config: VictoropsConfig, call: HttpCall): Promise<NotifyResult> {
  const key = await call.secret(config.api_key, config.api_key_file);
  const wanted = call.text(config.message_type);
  const type = FIRING_TYPES.includes(wanted) ? wanted : "CRITICAL";
  const custom = Object.entries(config.custom_fields ?? {}).map(([name, value]) => [name, call.text(value)]);
  const response = await call.send({
    url: `${config.api_url}${key}/${encodeURIComponent(call.text(config.routing_key))}`,
    json: {
      message_type: call.firing ? type : "RECOVERY",
      entity_id: groupKeyHash(call.notification.groupKey),
      entity_display_name: call.text(config.entity_display_name),
      state_message: truncateRunes(call.text(config.state_message), MAX_STATE_MESSAGE_RUNES),
      monitoring_tool: call.text(config.monitoring_tool),
      ...(Object.fromEntries(custom) as Record<string, string>),
    },
  });
  return httpOutcome(response);
}
