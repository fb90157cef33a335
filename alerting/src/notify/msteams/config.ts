import type { z } from "zod";
import { exactlyOne, object, secretUrl } from "../../config/fields.ts";
import { httpConfig, secretFile, sendResolved, template } from "../../config/receiver-fields.ts";

export const MsteamsConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  webhook_url: secretUrl.optional().describe("the channel's connector"),
  webhook_url_file: secretFile("the connector's URL"),
  title: template('{{ template "msteams.default.title" . }}', "title of the card"),
  summary: template('{{ template "msteams.default.summary" . }}', "what the phone shows"),
  text: template('{{ template "msteams.default.text" . }}', "Markdown"),
}).superRefine((teams, context) => exactlyOne(context, teams, "webhook_url", "webhook_url_file"));
export type MsteamsConfig = z.output<typeof MsteamsConfig>;
