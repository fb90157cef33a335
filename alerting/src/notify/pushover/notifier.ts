import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import { textsIn } from "../structured-value.ts";
import { truncateRunes } from "../truncate.ts";
import { PushoverConfig } from "./config.ts";

const MAX_RUNES = { title: 250, message: 1024, url: 512 };

/** Pushover has one address; tests have another. */
export const pushoverAt = (apiUrl: string) =>
  defineIntegration<"pushover", PushoverConfig>({
    name: "pushover",
    config: PushoverConfig,
    defaults: `
{{- define "pushover.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "pushover.default.message" }}{{ .CommonAnnotations.SortedPairs.Values.Join " " }}
{{ template "__alert_lists" . }}{{ end }}
{{- define "pushover.default.url" }}{{ template "__alertmanagerURL" . }}{{ end }}
`,
    settle: (config, context) => ({ ...config, ...settledHttp(config, context) }),
    templates: ({ message, html, ...rest }) => ({
      text: [...textsIn(rest), ...(html === true ? [] : [message])],
      html: html === true ? [message] : [],
    }),
    create: (config, deps) => httpNotifier(config, deps, (call) => notify(apiUrl, config, call)),
  });

export const pushover = pushoverAt("https://api.pushover.net/1/messages.json");

async function notify(apiUrl: string, config: PushoverConfig, call: HttpCall): Promise<NotifyResult> {
  const message = config.html === true ? call.html(config.message) : call.text(config.message);
  const seconds = (ms: number) => String(Math.trunc(ms / 1000));
  const query = new URLSearchParams({
    token: call.text(await call.secret(config.token, config.token_file)),
    user: call.text(await call.secret(config.user_key, config.user_key_file)),
    title: truncateRunes(call.text(config.title), MAX_RUNES.title),
    ...(config.html === true && { html: "1" }),
    ...(config.monospace === true && { monospace: "1" }),
    // An empty message would be refused.
    message: truncateRunes(message, MAX_RUNES.message).trim() || "(no details)",
    url: truncateRunes(call.text(config.url), MAX_RUNES.url),
    url_title: call.text(config.url_title),
    priority: call.text(config.priority),
    retry: seconds(config.retry),
    expire: seconds(config.expire),
    device: call.text(config.device),
    sound: call.text(config.sound),
    ...(config.ttl !== undefined && config.ttl >= 1000 && { ttl: seconds(config.ttl) }),
  });
  const response = await call.send({
    url: `${apiUrl}?${query.toString()}`,
    headers: { "content-type": "text/plain" },
    body: "",
  });
  return httpOutcome(response);
}
