import type { z } from "zod";
import { exactlyOne, object, secretUrl } from "../../config/fields.ts";
import { httpConfig, optionalTemplate, secretFile, sendResolved, template } from "../../config/receiver-fields.ts";

export const DiscordConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  webhook_url: secretUrl.optional().describe("the channel's webhook"),
  webhook_url_file: secretFile("the webhook's URL"),
  content: optionalTemplate("text above the embed, at most 2000 characters"),
  title: template('{{ template "discord.default.title" . }}', "at most 256 characters"),
  message: template('{{ template "discord.default.message" . }}', "at most 4096 characters"),
  username: optionalTemplate("name of the sender, taken as it is"),
  avatar_url: optionalTemplate("picture of the sender, taken as it is"),
}).superRefine((discord, context) => exactlyOne(context, discord, "webhook_url", "webhook_url_file"));
export type DiscordConfig = z.output<typeof DiscordConfig>;
