import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import { truncateRunes } from "../truncate.ts";
import { DiscordConfig } from "./config.ts";

const MAX_RUNES = { content: 2000, title: 256, message: 4096 };
const RED = 0x99_2d_22;
const GREEN = 0x2e_cc_71;

export const discord = defineIntegration<"discord", DiscordConfig>({
  name: "discord",
  config: DiscordConfig,
  defaults: `
{{- define "discord.default.content" }}{{ end }}
{{- define "discord.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "discord.default.message" }}{{ template "__alert_lists" . }}{{ end }}
`,
  settle: (config, context) => ({ ...config, ...settledHttp(config, context) }),
  templates: ({ content = "", title, message }) => ({ text: [content, title, message] }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

async function notify(config: DiscordConfig, call: HttpCall): Promise<NotifyResult> {
  const content = config.content ?? '{{ template "discord.default.content" . }}';
  const response = await call.send({
    url: await call.secret(config.webhook_url, config.webhook_url_file),
    json: {
      content: truncateRunes(call.text(content), MAX_RUNES.content),
      username: config.username || undefined,
      avatar_url: config.avatar_url || undefined,
      embeds: [
        {
          title: truncateRunes(call.text(config.title), MAX_RUNES.title),
          description: truncateRunes(call.text(config.message), MAX_RUNES.message),
          color: call.firing ? RED : GREEN,
        },
      ],
    },
  });
  return httpOutcome(response);
}
