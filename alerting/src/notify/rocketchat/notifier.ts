import { z } from "zod";
import { httpOutcome, type HttpResponse } from "../http/http-client.ts";
import { answerOf, httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult, type SettleContext } from "../integration.ts";
import { textsIn } from "../structured-value.ts";
import { truncateRunes } from "../truncate.ts";
import { RocketchatConfig } from "./config.ts";

const DEFAULT_URL = "https://open.rocket.chat/";
const MAX_TITLE_RUNES = 1024;

export const rocketchat = defineIntegration<"rocketchat", RocketchatConfig>({
  name: "rocketchat",
  config: RocketchatConfig,
  defaults: `
{{- define "rocketchat.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "rocketchat.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "rocketchat.default.alias" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "rocketchat.default.text" }}{{ end }}
{{- define "rocketchat.default.emoji" }}{{ end }}
{{- define "rocketchat.default.iconurl" }}{{ end }}
`,
  settle,
  templates: (config) => ({ text: textsIn(config) }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

function settle(config: RocketchatConfig, context: SettleContext): RocketchatConfig {
  const { global } = context;
  const settled = {
    ...config,
    ...settledHttp(config, context),
    api_url: config.api_url ?? global.rocketchat_api_url ?? DEFAULT_URL,
    ...(config.token === undefined &&
      config.token_file === undefined && { token: global.rocketchat_token, token_file: global.rocketchat_token_file }),
    ...(config.token_id === undefined &&
      config.token_id_file === undefined && {
        token_id: global.rocketchat_token_id,
        token_id_file: global.rocketchat_token_id_file,
      }),
  };
  if (settled.token === undefined && settled.token_file === undefined)
    throw new Error("no token: set it here or rocketchat_token in global");
  if (settled.token_id === undefined && settled.token_id_file === undefined)
    throw new Error("no token_id: set it here or rocketchat_token_id in global");
  return settled;
}

async function notify(config: RocketchatConfig, call: HttpCall): Promise<NotifyResult> {
  const message = rocketchatMessage(config, call);
  const response = await call.send({
    url: `${(config.api_url ?? DEFAULT_URL).replace(/\/$/, "")}/api/v1/chat.postMessage`,
    headers: {
      "x-auth-token": await call.secret(config.token, config.token_file),
      "x-user-id": await call.secret(config.token_id, config.token_id_file),
    },
    json: message,
  });
  const result = judge(response);
  return result.status === "sent"
    ? result
    : { ...result, error: `channel ${JSON.stringify(message.channel ?? "")}: ${result.error}` };
}

const Answer = z.object({ success: z.boolean(), error: z.string().optional() });

function judge(response: HttpResponse): NotifyResult {
  const outcome = httpOutcome(response);
  if (outcome.status !== "sent") return outcome;
  const answer = answerOf(Answer, response);
  if (!answer)
    return { status: "retry", reason: "clientError", error: "Rocket.Chat's answer is not the JSON it promises" };
  return answer.success
    ? outcome
    : { status: "failed", reason: "clientError", error: `Rocket.Chat refused: ${answer.error ?? "unknown"}` };
}

function rocketchatMessage(config: RocketchatConfig, call: HttpCall) {
  const text = (template: string | undefined) => call.text(template) || undefined;
  const fields = config.fields?.map(({ title, value, short }) => ({
    title: text(title),
    value: text(value),
    short: short ?? config.short_fields,
  }));
  const actions = config.actions?.map((action) => ({
    type: "button",
    text: text(action.text),
    url: text(action.url),
    msg: text(action.msg),
    is_webview: false,
    msg_in_chat_window: false,
  }));
  return {
    channel: text(config.channel),
    emoji: text(config.emoji),
    avatar: text(config.icon_url),
    attachments: [
      {
        title: truncateRunes(call.text(config.title), MAX_TITLE_RUNES) || undefined,
        title_link: text(config.title_link),
        text: text(config.text),
        image_url: text(config.image_url),
        thumb_url: text(config.thumb_url),
        color: text(config.color),
        fields,
        actions,
      },
    ],
  };
}
