import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult, type SettleContext } from "../integration.ts";
import { textsIn } from "../structured-value.ts";
import { truncateRunes } from "../truncate.ts";
import { MattermostConfig, type MattermostAttachment } from "./config.ts";

const MAX_TEXT_RUNES = 16_383;

export const mattermost = defineIntegration<"mattermost", MattermostConfig>({
  name: "mattermost",
  config: MattermostConfig,
  defaults: `
{{- define "mattermost.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "mattermost.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "mattermost.default.fallback" }}{{ template "mattermost.default.title" . }} | {{ template "mattermost.default.titlelink" . }}{{ end }}
{{- define "mattermost.default.username" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "mattermost.default.color" }}{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}{{ end }}
{{- define "mattermost.default.text" }}{{ template "__alert_lists_markdown" . }}{{ end }}
`,
  settle,
  templates: (config) => ({ text: textsIn(config) }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

function settle(config: MattermostConfig, context: SettleContext): MattermostConfig {
  const { global } = context;
  const settled = {
    ...config,
    ...settledHttp(config, context),
    ...(config.webhook_url === undefined &&
      config.webhook_url_file === undefined && {
        webhook_url: global.mattermost_webhook_url,
        webhook_url_file: global.mattermost_webhook_url_file,
      }),
  };
  if (settled.webhook_url === undefined && settled.webhook_url_file === undefined)
    throw new Error("missing webhook_url or webhook_url_file on mattermost_config");
  return settled;
}

async function notify(config: MattermostConfig, call: HttpCall): Promise<NotifyResult> {
  const text = (template: string | undefined) => call.text(template) || undefined;
  const own = config.attachments ?? [];
  const channel = text(config.channel);
  const response = await call.send({
    url: await call.secret(config.webhook_url, config.webhook_url_file),
    json: {
      channel,
      username: text(config.username),
      icon_url: text(config.icon_url),
      icon_emoji: text(config.icon_emoji),
      type: text(config.type),
      // With attachments of its own, the text is the message's.
      text: own.length > 0 ? truncateRunes(call.text(config.text), MAX_TEXT_RUNES) || undefined : undefined,
      attachments: (own.length > 0 ? own : [config]).map((it) => attachment(it, text)),
      props: config.props?.card ? { card: text(config.props.card) } : undefined,
      priority: priority(config, call),
    },
  });
  const result = httpOutcome(response);
  return result.status === "sent"
    ? result
    : { ...result, error: `channel ${JSON.stringify(channel ?? "")}: ${result.error}` };
}

function attachment(from: MattermostAttachment, text: (template: string | undefined) => string | undefined) {
  const body = text(from.text);
  return {
    fallback: text(from.fallback),
    color: text(from.color),
    pretext: text(from.pretext),
    text: body === undefined ? undefined : truncateRunes(body, MAX_TEXT_RUNES),
    author_name: text(from.author_name),
    author_link: text(from.author_link),
    author_icon: text(from.author_icon),
    title: text(from.title),
    title_link: text(from.title_link),
    fields: from.fields?.map(({ title, value, short }) => ({ title: text(title), value: text(value), short })),
    thumb_url: text(from.thumb_url),
    footer: text(from.footer),
    footer_icon: text(from.footer_icon),
    image_url: text(from.image_url),
  };
}

/** Mattermost refuses the whole message when an option does not go with the priority. */
function priority({ priority: wanted }: MattermostConfig, call: HttpCall) {
  if (!wanted?.priority) return undefined;
  const level = call.text(wanted.priority).toLowerCase();
  const known = level === "urgent" || level === "important" ? level : "standard";
  return {
    priority: known,
    requested_ack: (known !== "standard" && wanted.requested_ack) || undefined,
    persistent_notifications: (known === "urgent" && wanted.persistent_notifications) || undefined,
  };
}
