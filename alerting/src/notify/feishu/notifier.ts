import { createHmac } from "node:crypto";
import { z } from "zod";
import { judgeCode } from "../http/chat-answer.ts";
import { httpOutcome, type HttpResponse } from "../http/http-client.ts";
import { answerOf, httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import { textsIn } from "../structured-value.ts";
import { truncateBytes } from "../truncate.ts";
import { FeishuConfig } from "./config.ts";

/** A request may have 20 kB; the rest is for the card around the text and what JSON escapes. */
const MAX_MESSAGE_BYTES = 18_000;
const FREQUENCY_LIMITED = 11_232;

export const feishu = defineIntegration<"feishu", FeishuConfig>({
  name: "feishu",
  config: FeishuConfig,
  defaults: `
{{- define "feishu.default.title" }}{{ template "__subject" . }}{{ end }}
{{- define "feishu.default.message" }}{{ template "__chat_markdown" . }}{{ end }}
`,
  settle: (config, context) => ({ ...config, ...settledHttp(config, context) }),
  templates: (config) => ({ text: textsIn(config) }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

async function notify(config: FeishuConfig, call: HttpCall): Promise<NotifyResult> {
  const url = await call.secret(config.webhook_url, config.webhook_url_file);
  const secret = await call.secret(config.secret, config.secret_file);
  const seconds = Math.floor(call.deps.clock.now() / 1000);
  const response = await call.send({
    url,
    json: {
      ...(secret !== "" && { timestamp: String(seconds), sign: feishuSignature(seconds, secret) }),
      msg_type: "interactive",
      card: {
        config: { wide_screen_mode: true },
        header: { title: { tag: "plain_text", content: call.text(config.title) }, template: call.text(config.color) },
        elements: [{ tag: "markdown", content: truncateBytes(call.text(config.message), MAX_MESSAGE_BYTES) }],
      },
    },
  });
  return judge(response);
}

/** HMAC-SHA256 of nothing under `<seconds>\n<secret>`, in base64. */
export function feishuSignature(timestampSeconds: number, secret: string): string {
  return createHmac("sha256", `${timestampSeconds}\n${secret}`).digest("base64");
}

/** Older robots write the same in `StatusCode` and `StatusMessage`. */
const Answer = z
  .object({ code: z.number(), msg: z.string().default("") })
  .or(
    z
      .object({ StatusCode: z.number(), StatusMessage: z.string().default("") })
      .transform(({ StatusCode, StatusMessage }) => ({ code: StatusCode, msg: StatusMessage })),
  );

function judge(response: HttpResponse): NotifyResult {
  const outcome = httpOutcome(response, [429]);
  if (outcome.status !== "sent") return outcome;
  const answer = answerOf(Answer, response);
  if (!answer) return { status: "retry", reason: "other", error: "Feishu's answer is not the JSON it promises" };
  return judgeCode("Feishu", answer.code, answer.msg, [FREQUENCY_LIMITED]);
}
