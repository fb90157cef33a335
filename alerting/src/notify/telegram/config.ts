import type { z } from "zod";
import { atMostOne, bool, exactlyOne, integer, object, oneOf, text, url } from "../../config/fields.ts";
import { httpConfig, secretFile, secretKey, sendResolved, template } from "../../config/receiver-fields.ts";

export const TelegramConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  api_url: url.optional().describe("the Bot API; default telegram_api_url"),
  bot_token: secretKey("the bot's token; default telegram_bot_token"),
  bot_token_file: secretFile("the bot's token"),
  chat_id: integer.optional().describe("the chat; groups have negative numbers"),
  chat_id_file: text.optional().describe("file with the chat's number, read at each notification"),
  message_thread_id: integer.optional().describe("topic of a forum"),
  message: template('{{ template "telegram.default.message" . }}', "at most 4096 characters"),
  disable_notifications: bool.optional().describe("deliver without a sound"),
  parse_mode: oneOf("HTML", "Markdown", "MarkdownV2", "").default("HTML").describe("how the message is marked up"),
}).superRefine((telegram, context) => {
  atMostOne(context, telegram, "bot_token", "bot_token_file");
  exactlyOne(context, telegram, "chat_id", "chat_id_file");
});
export type TelegramConfig = z.output<typeof TelegramConfig>;
