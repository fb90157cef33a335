import { z } from "zod";
import { isShownSecret } from "../../config/fields.ts";
import { SLACK_APP_URL } from "../../config/global-config.ts";
import { httpOutcome, type HttpResponse } from "../http/http-client.ts";
import { answerOf, httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult, type SettleContext } from "../integration.ts";
import { textsIn } from "../structured-value.ts";
import { truncateRunes } from "../truncate.ts";
import { SlackConfig } from "./config.ts";

const MAX_TITLE_RUNES = 1024;

export const slack = defineIntegration<"slack", SlackConfig>({
  name: "slack",
  config: SlackConfig,
  defaults: `
{{- define "slack.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "slack.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "slack.default.fallback" }}{{ template "slack.default.title" . }} | {{ template "slack.default.titlelink" . }}{{ end }}
{{- define "slack.default.username" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "slack.default.color" }}{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}{{ end }}
{{- define "slack.default.pretext" }}{{ end }}
{{- define "slack.default.text" }}{{ end }}
{{- define "slack.default.footer" }}{{ end }}
{{- define "slack.default.callbackid" }}{{ end }}
{{- define "slack.default.iconemoji" }}{{ end }}
{{- define "slack.default.iconurl" }}{{ end }}
`,
  settle,
  templates: (config) => ({ text: textsIn(config) }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

/** Own credentials beat global ones; of the global ones the app token beats the webhook. */
function settle(config: SlackConfig, context: SettleContext): SlackConfig {
  const { global } = context;
  const http = settledHttp(config, context);
  const authorized = http.http_config.authorization !== undefined;
  const ownToken = config.app_token !== undefined || config.app_token_file !== undefined;
  const ownUrl = config.api_url !== undefined || config.api_url_file !== undefined;
  const globalToken = global.slack_app_token !== undefined || global.slack_app_token_file !== undefined;
  const ownAuthorization = config.http_config !== undefined && authorized;
  const inheritToken = !ownToken && !ownUrl && !ownAuthorization && globalToken;
  const withToken = ownToken || inheritToken;
  if (withToken && authorized) throw new Error("http authorization can't be set when using Slack App tokens");
  const settled: SlackConfig = {
    ...config,
    ...http,
    ...(inheritToken && { app_token: global.slack_app_token, app_token_file: global.slack_app_token_file }),
    ...(withToken && { app_url: config.app_url ?? global.slack_app_url ?? SLACK_APP_URL }),
    ...(!withToken && !ownUrl && { api_url: global.slack_api_url, api_url_file: global.slack_api_url_file }),
  };
  const { api_url, api_url_file, app_url } = settled;
  if (!withToken && api_url === undefined && api_url_file === undefined)
    throw new Error("no Slack API URL nor App token set either inline or in a file");
  const target = withToken ? app_url : api_url?.reveal();
  if (config.update_message === true && !isShownSecret(api_url) && !target?.endsWith("/chat.postMessage"))
    throw new Error(`update_message needs an app token, or ${SLACK_APP_URL} as api_url`);
  return settled;
}

async function notify(config: SlackConfig, call: HttpCall): Promise<NotifyResult> {
  const token = await call.secret(config.app_token, config.app_token_file);
  const url = token === "" ? await call.secret(config.api_url, config.api_url_file) : (config.app_url ?? SLACK_APP_URL);
  const { threadTs, channelId } = (config.update_message === true && call.notification.receiverData) || {};
  const earlier = threadTs && channelId ? { channel: channelId, ts: threadTs } : undefined;
  const message = slackMessage(config, call);
  const response = await call.send({
    url: earlier ? url.replace(/chat\.postMessage$/, "chat.update") : url,
    headers: token === "" ? {} : { authorization: `Bearer ${token}` },
    json: { ...message, ...earlier },
  });
  const result = judge(response, config.update_message === true);
  return result.status === "sent"
    ? result
    : { ...result, error: `channel ${JSON.stringify(earlier?.channel ?? message.channel ?? "")}: ${result.error}` };
}

const Answer = z.object({
  ok: z.boolean(),
  error: z.string().optional(),
  channel: z.string().optional(),
  ts: z.string().optional(),
});

/** Slack says what went wrong in the body of a 200: JSON from its API, a word from a webhook. */
function judge(response: HttpResponse, keep: boolean): NotifyResult {
  const outcome = httpOutcome(response);
  if (outcome.status !== "sent") return outcome;
  if (response.contentType !== "application/json")
    return response.body === "ok" ? outcome : refused(`received an error response from Slack: ${response.body}`);
  const answer = answerOf(Answer, response);
  if (!answer) return { status: "retry", reason: "clientError", error: "Slack's answer is not the JSON it promises" };
  if (!answer.ok) return refused(`error response from Slack: ${answer.error ?? "unknown"}`);
  const { ts, channel } = answer;
  return keep && ts && channel ? { status: "sent", receiverData: { threadTs: ts, channelId: channel } } : outcome;
}

const refused = (error: string): NotifyResult => ({ status: "failed", reason: "clientError", error });

/** One attachment; keys that are left empty do not appear, but for those that Alertmanager always sends. */
function slackMessage(config: SlackConfig, call: HttpCall) {
  const text = (template: string | undefined) => call.text(template);
  return {
    channel: text(config.channel) || undefined,
    username: text(config.username) || undefined,
    icon_emoji: text(config.icon_emoji) || undefined,
    icon_url: text(config.icon_url) || undefined,
    link_names: config.link_names || undefined,
    text: text(config.message_text) || undefined,
    attachments: [
      {
        title: truncateRunes(text(config.title), MAX_TITLE_RUNES) || undefined,
        title_link: text(config.title_link) || undefined,
        pretext: text(config.pretext) || undefined,
        text: text(config.text),
        fallback: text(config.fallback),
        callback_id: text(config.callback_id),
        fields: config.fields?.map(({ title, value, short }) => ({
          title: text(title),
          value: text(value),
          short: short ?? config.short_fields,
        })),
        actions: config.actions?.map((action) => slackAction(action, text)),
        image_url: text(config.image_url) || undefined,
        thumb_url: text(config.thumb_url) || undefined,
        footer: text(config.footer),
        color: text(config.color) || undefined,
        mrkdwn_in: config.mrkdwn_in?.length ? config.mrkdwn_in : ["fallback", "pretext", "text"],
      },
    ],
  };
}

function slackAction(
  { type, text: label, url, style, name, value, confirm }: NonNullable<SlackConfig["actions"]>[number],
  text: (template: string | undefined) => string,
) {
  const common = { type: text(type), text: text(label), style: text(style) || undefined };
  if (url) return { ...common, url: text(url) };
  return {
    ...common,
    name: text(name),
    value: text(value) || undefined,
    confirm: confirm && {
      text: text(confirm.text),
      title: text(confirm.title) || undefined,
      ok_text: text(confirm.ok_text) || undefined,
      dismiss_text: text(confirm.dismiss_text) || undefined,
    },
  };
}
