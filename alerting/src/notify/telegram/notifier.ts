import { readFile } from "node:fs/promises";
import { z } from "zod";
import { failureReason, httpOutcome, type HttpResponse } from "../http/http-client.ts";
import { answerOf, httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult, type SettleContext } from "../integration.ts";
import { truncateRunes } from "../truncate.ts";
import { TelegramConfig } from "./config.ts";

const MAX_MESSAGE_RUNES = 4096;
/** Cutting HTML would leave tags open, and Telegram would refuse it. */
const TOO_LONG =
  "Alerts could not be shown: the message is longer than Telegram allows. Shorten the template of this receiver.";

export const telegram = defineIntegration<"telegram", TelegramConfig>({
  name: "telegram",
  config: TelegramConfig,
  defaults: `{{- define "telegram.default.message" }}{{ template "__alert_lists" . }}{{ end }}`,
  settle,
  templates: ({ message, parse_mode }) => (parse_mode === "HTML" ? { text: [], html: [message] } : { text: [message] }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

function settle(config: TelegramConfig, context: SettleContext): TelegramConfig {
  const { global } = context;
  const settled = {
    ...config,
    ...settledHttp(config, context),
    api_url: config.api_url ?? global.telegram_api_url,
    ...(config.bot_token === undefined &&
      config.bot_token_file === undefined && {
        bot_token: global.telegram_bot_token,
        bot_token_file: global.telegram_bot_token_file,
      }),
  };
  if (settled.bot_token === undefined && settled.bot_token_file === undefined)
    throw new Error("missing bot_token or bot_token_file on telegram_config");
  return settled;
}

async function notify(config: TelegramConfig, call: HttpCall): Promise<NotifyResult> {
  const token = await call.secret(config.bot_token, config.bot_token_file);
  const response = await call.send({
    url: `${config.api_url?.replace(/\/$/, "")}/bot${token}/sendMessage`,
    json: {
      chat_id: await chatId(config),
      text: messageText(config, call),
      message_thread_id: config.message_thread_id || undefined,
      parse_mode: config.parse_mode || undefined,
      disable_notification: config.disable_notifications || undefined,
      disable_web_page_preview: true,
    },
  });
  return judge(response);
}

function messageText({ parse_mode, message }: TelegramConfig, call: HttpCall): string {
  if (parse_mode !== "HTML") return truncateRunes(call.text(message), MAX_MESSAGE_RUNES);
  const html = call.html(message);
  return truncateRunes(html, MAX_MESSAGE_RUNES) === html ? html : TOO_LONG;
}

async function chatId({ chat_id, chat_id_file }: TelegramConfig): Promise<number> {
  if (chat_id_file === undefined) return chat_id ?? 0;
  const written = (await readFile(chat_id_file, "utf8")).trim();
  if (!/^-?\d+$/.test(written)) throw new Error(`${chat_id_file} does not hold a chat's number`);
  return Number(written);
}

const Answer = z.object({
  ok: z.boolean(),
  error_code: z.number().optional(),
  description: z.string().optional(),
  parameters: z.object({ retry_after: z.number().optional() }).optional(),
});

/** Telegram says in the body how long a flood has to wait. */
function judge(response: HttpResponse): NotifyResult {
  const answer = answerOf(Answer, response);
  const afterMs = (answer?.parameters?.retry_after ?? 0) * 1000;
  const outcome = httpOutcome(response, [429]);
  if (outcome.status === "retry") return afterMs > 0 ? { ...outcome, afterMs } : outcome;
  if (outcome.status === "failed" || answer?.ok !== false) return outcome;
  const code = answer.error_code ?? 0;
  return {
    status: "failed",
    reason: failureReason(code),
    error: `Telegram refused: ${code} ${answer.description ?? ""}`,
  };
}
