import { createHmac } from "node:crypto";
import { checkUrl } from "../../config/fields.ts";
import { judgeRobot } from "../http/chat-answer.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import { textsIn } from "../structured-value.ts";
import { truncateBytes } from "../truncate.ts";
import { DingtalkConfig } from "./config.ts";

/** A request may have 20,000 bytes; the rest is for the title, mentions and what JSON escapes. */
const MAX_MESSAGE_BYTES = 18_000;
/** System busy, and two ways to say that a robot may send 20 messages a minute. */
const BUSY = [-1, 130_101, 410_100];

export const dingtalk = defineIntegration<"dingtalk", DingtalkConfig>({
  name: "dingtalk",
  config: DingtalkConfig,
  defaults: `
{{- define "dingtalk.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "dingtalk.default.message" }}### {{ template "__subject" . }}

{{ template "__chat_markdown" . }}{{ end }}
`,
  settle: (config, context) => ({ ...config, ...settledHttp(config, context) }),
  templates: (config) => ({ text: textsIn(config) }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

async function notify(config: DingtalkConfig, call: HttpCall): Promise<NotifyResult> {
  const url = new URL(checkUrl(await call.secret(config.webhook_url, config.webhook_url_file)));
  const secret = await call.secret(config.secret, config.secret_file);
  if (secret !== "") {
    const timestamp = call.deps.clock.now();
    url.searchParams.set("timestamp", String(timestamp));
    url.searchParams.set("sign", dingtalkSignature(timestamp, secret));
  }
  const response = await call.send({ url: url.href, json: message(config, call) });
  return judgeRobot("DingTalk", response, BUSY);
}

/** HMAC-SHA256 of `<milliseconds>\n<secret>` under the secret, in base64. */
export function dingtalkSignature(timestampMs: number, secret: string): string {
  return createHmac("sha256", secret).update(`${timestampMs}\n${secret}`).digest("base64");
}

function message(config: DingtalkConfig, call: HttpCall) {
  const mobiles = config.at_mobiles.map((mobile) => call.text(mobile)).filter(Boolean);
  const userIds = config.at_user_ids.map((id) => call.text(id)).filter(Boolean);
  // A mention works only where the text has it too.
  const mentions = [...mobiles, ...userIds].map((who) => `@${who}`).join(" ");
  const text = truncateBytes(call.text(config.message), MAX_MESSAGE_BYTES);
  return {
    msgtype: "markdown",
    markdown: { title: call.text(config.title), text: mentions === "" ? text : `${text}\n\n${mentions}` },
    at: { atMobiles: mobiles, atUserIds: userIds, isAtAll: config.at_all },
  };
}
