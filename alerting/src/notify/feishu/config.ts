import { z } from "zod";
import { plainSecret, plainTemplate, webhookKeys } from "../../config/extra-fields.ts";
import { atMostOne, exactlyOne } from "../../config/fields.ts";

export const FeishuConfig = z
  .strictObject({
    ...webhookKeys,
    secret: plainSecret.optional().describe("the robot's signing secret; without it requests are not signed"),
    secret_file: z.string().optional().describe("file with the signing secret, read at each notification"),
    title: plainTemplate('{{ template "feishu.default.title" . }}', "title of the card"),
    message: plainTemplate('{{ template "feishu.default.message" . }}', "Markdown of the card, at most 18 kB"),
    color: plainTemplate('{{ if eq .Status "firing" }}red{{ else }}green{{ end }}', "colour of the card's title"),
  })
  .superRefine((feishu, context) => {
    exactlyOne(context, feishu, "webhook_url", "webhook_url_file");
    atMostOne(context, feishu, "secret", "secret_file");
  });
export type FeishuConfig = z.output<typeof FeishuConfig>;
