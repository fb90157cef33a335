import { z } from "zod";
import { plainSecret, plainTemplate, webhookKeys } from "../../config/extra-fields.ts";
import { atMostOne, exactlyOne } from "../../config/fields.ts";

export const DingtalkConfig = z
  .strictObject({
    ...webhookKeys,
    secret: plainSecret.optional().describe("the robot's signing secret (SEC…); without it requests are not signed"),
    secret_file: z.string().optional().describe("file with the signing secret, read at each notification"),
    title: plainTemplate('{{ template "dingtalk.default.title" . }}', "what the list of chats and the phone show"),
    message: plainTemplate('{{ template "dingtalk.default.message" . }}', "Markdown, at most 18 kB"),
    at_mobiles: z
      .array(z.string())
      .default([])
      .describe("phone numbers of members to mention; templates may stand in it"),
    at_user_ids: z.array(z.string()).default([]).describe("ids of members to mention; templates may stand in it"),
    at_all: z.boolean().default(false).describe("mention everybody"),
  })
  .superRefine((dingtalk, context) => {
    exactlyOne(context, dingtalk, "webhook_url", "webhook_url_file");
    atMostOne(context, dingtalk, "secret", "secret_file");
  });
export type DingtalkConfig = z.output<typeof DingtalkConfig>;
